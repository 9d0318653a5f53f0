/** Numbers, times and comparisons as people read them. */

import { tellError } from './errors/platform';
import { text } from './text';
import { getUnits, inDistanceUnit, inSpeedUnit } from './units';

export { formatAge, formatDuration } from './duration';
export { formatDistance, formatSpeed, getUnits } from './units';
export { formatClock, formatDay, formatMoment, formatRealMoment, formatRealTime, formatZone, zoneName, zoneOf } from './zone';

const whole = new Intl.NumberFormat(text.locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(text.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const formatWhole = (value: number): string => whole.format(value);
export const formatTenth = (value: number): string => tenth.format(value);

export type Direction = 'lower' | 'higher';

export interface Comparison {
  kind: 'better' | 'worse' | 'same';
  /** Signed difference and share, e.g. "−22.8 (−37 %)". */
  difference: string;
}

/** The least relative difference that is worth a word. */
const SAME_SHARE = 0.01;

/** Compare with the fixed plan. goodWhen: which way is better. leastShare: a smaller difference is none. */
export function compare(now: number, fixed: number, goodWhen: Direction, decimals: 0 | 1, leastShare = SAME_SHARE): Comparison {
  const difference = now - fixed;
  const format = decimals ? formatTenth : formatWhole;
  const shown = Number(Math.abs(difference).toFixed(decimals));
  if (shown === 0 || Math.abs(difference) < leastShare * Math.abs(fixed)) {
    return { kind: 'same', difference: signed(difference, format) };
  }
  const percent = Math.abs(fixed) >= 1 ? ` (${signed((100 * difference) / Math.abs(fixed), formatWhole)} %)` : '';
  const kind = difference < 0 === (goodWhen === 'lower') ? 'better' : 'worse';
  return { kind, difference: signed(difference, format) + percent };
}

function signed(value: number, format: (value: number) => string): string {
  const body = format(Math.abs(value));
  if (!/[1-9]/.test(body)) return '±0';
  return (value < 0 ? '−' : '+') + body;
}

const UNIT_NAMES: Record<string, () => string> = { mps: () => getUnits().speed, m: () => getUnits().distance };

/** A key of an explanation, made readable: the unit at its end goes into brackets, underscores go. */
export function humanise(key: string): string {
  const match = /^(.+)_(s|m|veh|mps|veh_per_h|veh_per_s)$/.exec(key);
  const [name, unit] = match ? [match[1], UNIT_NAMES[match[2]]?.() ?? match[2].replace('_per_', '/')] : [key, ''];
  return name.replaceAll('_', ' ') + (unit ? ` (${unit})` : '');
}

/** As a sentence begins. */
export const capital = (line: string): string => line.charAt(0).toUpperCase() + line.slice(1);

/** A line of text as a sentence: capital first, full stop last. */
export function sentence(line: string): string {
  const clean = capital(line);
  return !clean || /[.!?]$/.test(clean) ? clean : `${clean}.`;
}

/** An error as the platform writes it, "place: message\n  remedy: …", in the reader's language where it is known, else as
 * two sentences. place: one that the page shows anyway. */
export function errorSentences(error: string, place = ''): string {
  return tellError(error, (english) => {
    const [message, ...remedy] = english.split(/\s*\n?\s*remedy:\s*/);
    const bare = place && message.startsWith(`${place}: `) ? message.slice(place.length + 2) : message;
    return [bare, ...remedy].map((line) => sentence(line.trim())).join(' ').trim();
  });
}

/** Any JSON value of an explanation, on one line. Given its key, lengths and speeds come in the chosen unit. */
export function formatValue(value: unknown, key = ''): string {
  if (typeof value === 'number' && key.endsWith('_mps')) return formatValue(inSpeedUnit(value));
  if (typeof value === 'number' && key.endsWith('_m')) return formatValue(inDistanceUnit(value));
  if (value === null || value === undefined) return text.indicators.unknown;
  if (typeof value === 'number') return Number.isInteger(value) ? formatWhole(value) : String(Number(value.toPrecision(3)));
  if (typeof value === 'boolean') return value ? text.yes : text.no;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((inner) => formatValue(inner, key)).join(', ');
  return Object.entries(value as Record<string, unknown>)
    .map(([key, inner]) => `${humanise(key)}: ${formatValue(inner, key)}`)
    .join(', ');
}
