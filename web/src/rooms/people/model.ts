/** How times, programs and entries are put into words. */

import { formatRealTime } from '../../format';
import { text } from '../../text';

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** "5 minutes ago", "in 3 hours": the largest unit that fits. */
export function ago(at: string, nowMs = Date.now()): string {
  const seconds = Math.round((Date.parse(at) - nowMs) / 1000);
  const [unit, size] = STEPS.find(([, most]) => Math.abs(seconds) >= most) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(text.locale, { numeric: 'auto', style: 'short' }).format(Math.round(seconds / size), unit);
}

/** Log-ins are of people, not of the city's clock: real time, and said to be. */
export const inFull = formatRealTime;

const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/Edg\/(\d+)/, 'Edge'],
  [/Firefox\/(\d+)/, 'Firefox'],
  [/Chrome\/(\d+)/, 'Chrome'],
  [/Version\/(\d+).*Safari/, 'Safari'],
];

/** The browser and its version, else the first word of what the program calls itself. */
export function program(agent: string): string {
  for (const [pattern, name] of PROGRAMS) {
    const found = pattern.exec(agent);
    if (found) return `${name} ${found[1]}`;
  }
  return agent.split(' ')[0] || '–';
}

/** An entry's body on one line. */
export const describe = (body: Record<string, unknown>): string =>
  Object.entries(body)
    .filter(([, value]) => value !== '' && value !== null)
    .map(([key, value]) => `${key}: ${String(value)}`)
    .join(' · ');
