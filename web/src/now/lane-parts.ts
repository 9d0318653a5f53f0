/** The last metres of a lane, where its queue stands and its camera looks. */

/** points: x, y, x, y, … in driving direction. metres: told the lane's length. Returns the part before the end, and
 * which share of the lane it is, 0..1. */
export function lastMetres(points: readonly number[], metres: (wholeM: number) => number): { points: number[]; share: number } {
  let whole = 0;
  for (let k = 2; k + 1 < points.length; k += 2) whole += Math.hypot(points[k] - points[k - 2], points[k + 1] - points[k - 1]);
  const wanted = Math.min(whole, Math.max(0, metres(whole)));
  const share = whole > 0 ? wanted / whole : 0;
  let left = wanted;
  const found: number[] = [points[points.length - 2], points[points.length - 1]];
  for (let k = points.length - 2; k >= 2 && left > 0; k -= 2) {
    const [x1, y1, x0, y0] = [points[k], points[k + 1], points[k - 2], points[k - 1]];
    const piece = Math.hypot(x1 - x0, y1 - y0);
    if (piece <= left || piece === 0) {
      found.unshift(x0, y0);
      left -= piece;
      continue;
    }
    const part = left / piece;
    found.unshift(x1 + (x0 - x1) * part, y1 + (y0 - y1) * part);
    left = 0;
  }
  return { points: found, share };
}
