/** How long something lasts, with its units written: "4:42" may be minutes or hours. */

import { text } from './text';

const { seconds: S, minutes: MIN, hours: H, days: D } = text.duration;

/** "48 s", "2 min 35 s", "1 h 2 min", "3 d 4 h"; a minus where it is below zero. The smaller of two units is left
 * out where it is 0. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  const sign = seconds < 0 && whole > 0 ? '−' : '';
  if (whole < 60) return sign + S(whole);
  if (whole < 3600) return sign + both(MIN(Math.floor(whole / 60)), whole % 60, S);
  if (whole < 86_400) return sign + both(H(Math.floor(whole / 3600)), Math.floor(whole / 60) % 60, MIN);
  return sign + both(D(Math.floor(whole / 86_400)), Math.floor(whole / 3600) % 24, H);
}

const both = (first: string, rest: number, unit: (n: number) => string): string => (rest ? `${first} ${unit(rest)}` : first);

/** How old something is, by its larger unit alone: "48 s", "4 min", "2 h". */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return S(whole);
  if (whole < 3600) return MIN(Math.floor(whole / 60));
  return whole < 86_400 ? H(Math.floor(whole / 3600)) : D(Math.floor(whole / 86_400));
}
