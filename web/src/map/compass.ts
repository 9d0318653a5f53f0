/** Directions of lines on the ground, and the sides of the compass. */

export interface Direction {
  x: number;
  y: number;
}

/** Unit vector of a line (x, y, x, y, …) at its end (its last piece that has a length), or at its start. */
export function directionOf(points: readonly number[], at: 'start' | 'end'): Direction {
  const count = points.length >> 1;
  for (let k = 0; k + 1 < count; k++) {
    const i = at === 'start' ? k : count - 2 - k;
    const [dx, dy] = [points[2 * i + 2] - points[2 * i], points[2 * i + 3] - points[2 * i + 1]];
    const length = Math.hypot(dx, dy);
    if (length > 0.05) return { x: dx / length, y: dy / length };
  }
  return { x: 0, y: 1 };
}

/** Whence one comes who drives that way: 0 north, 1 north-east, … clockwise. */
export const compass = ({ x, y }: Direction): number => (Math.round(Math.atan2(-x, -y) / (Math.PI / 4)) + 8) % 8;

/** Whence one comes who drives along a line to its end. */
export const compassOf = (points: readonly number[]): number => compass(directionOf(points, 'end'));
