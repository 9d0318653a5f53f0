/** Alarms in the reader's language: the platform says a key and values, the catalogue has the words. Free text, such
 * as what people wrote, stays as it came. */

import { formatClock, formatDistance, formatDuration, formatSpeed, formatWhole } from '../format';
import { getState } from '../state/store';
import { alertText } from './text';
import type { Values } from './text/en';

export interface Sentence {
  key: string;
  /** The whole in English. */
  text: string;
  values: Readonly<Record<string, string | number>>;
}

export interface Told {
  title: string;
  detail: string;
  /** Title and detail as sentences; fewer where they are free text. */
  said?: readonly Sentence[];
}

/** A value as people read it: the unit at the end of its name says what it is. */
function read(name: string, value: string | number): [string, string] {
  if (name === 'due') return [name, cityClock(String(value))];
  if (typeof value === 'string') return [name, value];
  if (name.endsWith('_mps')) return [name.slice(0, -4), formatSpeed(value)];
  if (name.endsWith('_m')) return [name.slice(0, -2), formatDistance(value)];
  if (name.endsWith('_s')) return [name.slice(0, -2), formatDuration(value)];
  return [name, formatWhole(value)];
}

function cityClock(iso: string): string {
  const epoch = getState().city?.epoch ?? '1970-01-01T00:00:00Z';
  return formatClock(epoch, (Date.parse(iso) - Date.parse(epoch)) / 1000).slice(0, 5);
}

export function sentenceWords(sentence: Sentence): string {
  const say = (alertText.sentences as Record<string, ((v: Values) => string) | undefined>)[sentence.key];
  if (!say) return sentence.text;
  const { from_s: from, to_s: to } = sentence.values;
  const values = Object.fromEntries(Object.entries(sentence.values).map(([name, value]) => read(name, value)));
  if (typeof from === 'number' && typeof to === 'number') values['back'] = formatDuration(from - to);
  const all = new Proxy(values, { get: (known, name: string) => known[name] ?? '' });
  return say(all).trim();
}

export const titleWords = (told: Told): string => (told.said?.[0] ? sentenceWords(told.said[0]) : told.title);

export function detailWords(told: Told): string {
  const further = told.said?.slice(1) ?? [];
  return further.length ? further.map(sentenceWords).join(' ') : told.detail;
}
