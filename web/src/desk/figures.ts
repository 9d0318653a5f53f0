/** Figures with their uncertainty, as people read them. */

import { text } from '../text';

export type Verdict = 'better' | 'worse' | 'open' | '';

/** Signed, with a real minus; 0 has no sign. */
export function formatSigned(value: number, digits: number): string {
  const body = formatFixed(Math.abs(value), digits);
  if (!/[1-9]/.test(body)) return body;
  return (value < 0 ? '−' : '+') + body;
}

export const formatFixed = (value: number, digits: number): string =>
  new Intl.NumberFormat(text.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value).replace(/^-/, '−');

/** What an interval of a difference says: "" where there is none. */
export function verdictOf(low: number | null, high: number | null, better: 'less' | 'more'): Verdict {
  if (low === null || high === null) return '';
  if (low <= 0 && high >= 0) return 'open';
  return high < 0 === (better === 'less') ? 'better' : 'worse';
}

/** Minutes or hours, as long as anybody wants to know. */
export function formatLeft(seconds: number, words: { seconds: (n: string) => string; minutes: (n: string) => string; hours: (n: string) => string }): string {
  if (seconds < 90) return words.seconds(String(Math.max(1, Math.round(seconds))));
  if (seconds < 5400) return words.minutes(String(Math.round(seconds / 60)));
  return words.hours(formatFixed(seconds / 3600, 1));
}
