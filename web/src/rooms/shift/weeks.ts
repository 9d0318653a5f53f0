/** Weeks as ISO 8601 names them, and what charts are made of. */

const DAY_MS = 86_400_000;

/** "2026-W47" of an instant, in UTC. */
export function weekOf(ms: number): string {
  const day = new Date(ms);
  const thursday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + 4 - (day.getUTCDay() || 7)));
  const number = Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / DAY_MS + 1) / 7);
  return `${thursday.getUTCFullYear()}-W${String(number).padStart(2, '0')}`;
}

/** Monday 00:00 UTC of a week; NaN for what is none. */
export function mondayOf(week: string): number {
  const match = /^(\d{4})-W(\d\d)$/.exec(week);
  if (!match) return Number.NaN;
  const fourth = Date.UTC(Number(match[1]), 0, 4); // always in week 1
  return fourth - ((new Date(fourth).getUTCDay() || 7) - 1) * DAY_MS + (Number(match[2]) - 1) * 7 * DAY_MS;
}

/** The week so many weeks later. */
export const weekAfter = (week: string, weeks: number): string => weekOf(mondayOf(week) + (7 * weeks + 3) * DAY_MS);

/** A round number at or above the largest value: 1, 2 or 5 times a power of ten. */
export function niceTop(values: readonly number[]): number {
  const most = Math.max(0, ...values);
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most) ?? most;
}

/** Points of a small line through values, in a box; a missing value breaks it into another. */
export function sparkline(values: readonly (number | null)[], width: number, height: number): string[] {
  const known = values.filter((value): value is number => value !== null);
  const top = niceTop(known);
  const lines: string[][] = [[]];
  values.forEach((value, k) => {
    if (value === null) return void lines.push([]);
    const x = values.length > 1 ? (k / (values.length - 1)) * width : width / 2;
    lines[lines.length - 1].push(`${x.toFixed(1)},${(height - (value / top) * height).toFixed(1)}`);
  });
  return lines.filter((line) => line.length > 0).map((line) => line.join(' '));
}
