/** Round numbers along an axis. */

/** About `count` round numbers from low to high, both enclosed. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const top = high > low ? high : low + (Math.abs(low) || 1);
  const raw = (top - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= raw * 0.999) ?? 10 * power;
  const ticks: number[] = [];
  for (let n = Math.floor(low / step + 1e-9); n <= Math.ceil(top / step - 1e-9); n++) ticks.push(Number((n * step).toPrecision(12)));
  return ticks;
}

/** Round times between two seconds, at most `count`. */
export function clockTicks(low: number, high: number, count = 7): number[] {
  const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
  const step = steps.find((value) => (high - low) / value <= count) ?? 28800;
  const ticks: number[] = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at);
  return ticks;
}
