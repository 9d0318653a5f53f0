/** Places, moments and history of cases, as people read them. */

import type { CaseEvent, CasePlace, CaseState } from '../../api/case-types';
import { formatClock, formatDay, formatValue, formatWhole, humanise } from '../../format';
import { getState } from '../../state/store';
import { whereIs } from '../../map/street-names';
import { streetsOf } from '../../map/streets';
import { casesText } from './text';

/** Seconds since the city's epoch, in which the page's clocks count. */
function cityTimeS(iso: string): [string, number] {
  const epoch = getState().city?.epoch ?? '1970-01-01T00:00:00Z';
  return [epoch, (Date.parse(iso) - Date.parse(epoch)) / 1000];
}

/** An instant on the city's clock, HH:MM. */
export const clockOf = (iso: string): string => formatClock(...cityTimeS(iso)).slice(0, 5);
/** With its seconds. */
export const preciseClockOf = (iso: string): string => formatClock(...cityTimeS(iso));
/** With its day. */
export const momentOf = (iso: string): string => `${formatDay(...cityTimeS(iso))} ${clockOf(iso)}`;

/** Where a case is: its junction, its section and lanes, or its sensor. */
export function placeWords(place: CasePlace): string {
  const { geometry } = getState();
  const lanes = place.lanes.length ? `, ${casesText.lanes(place.lanes.map((lane) => lane + 1).join(', '))}` : '';
  const junction = geometry?.junctions.find((one) => one.id === place.junction);
  if (junction || place.junction) return (junction?.name || place.junction) + lanes;
  if (place.edge && geometry) {
    const { name, near } = whereIs(place.edge, geometry, streetsOf(geometry));
    return (near ? casesText.near(name, near) : name) + lanes;
  }
  if (place.edge || place.sensor) return (place.edge || place.sensor) + lanes;
  return casesText.unnamedPlace(formatWhole(place.x_m), formatWhole(place.y_m));
}

const CATALOGUES: Record<string, Record<string, string>> = {
  kind: casesText.kind,
  state: casesText.state,
  urgency: casesText.urgency,
  reporter: casesText.reporter,
  outcome: casesText.outcome,
};

/** A detail in the reader's words where it is one of ours. */
function wordOf(key: string, value: unknown): string {
  const plain = formatValue(value);
  const own = key === 'from' || key === 'to' ? [casesText.state, casesText.kind, casesText.urgency] : [CATALOGUES[key] ?? {}];
  return own.find((catalogue) => plain in catalogue)?.[plain] ?? (key === 'what' ? (casesText.file.proposal[plain] ?? plain) : plain);
}

/** Events that lead from and to people, where others do to states. */
const PEOPLE = new Set(['assigned', 'handed-over']);

/** Why the platform did something, in the reader's words; what people wrote stays as it came. steps: titles by id. */
export function whyWords(why: string, steps: ReadonlyMap<string, string> = new Map()): string {
  const say = casesText.why;
  const state = (name: string): string => casesText.state[name as CaseState] ?? name;
  const rules: [RegExp, (found: readonly string[]) => string][] = [
    [/^entered (\w+)$/, ([, to]) => say.entered(state(to))],
    [/^deadline (\w+)$/, ([, of]) => say.deadline(state(of))],
    [/^escalation (\w+):(\d+)$/, ([, of, level]) => say.escalation(state(of), level)],
    [/^step (.+)$/, ([, id]) => say.step(steps.get(id) ?? id)],
    [/^by hand(?:: (.*))?$/s, ([, reason]) => say.byHand(reason ?? '')],
    [/^report of (\w+)$/, ([, who]) => say.reportOf(casesText.reporter[who] ?? who)],
    [/^merged (case-\d+)$/, ([, id]) => say.merged(id)],
  ];
  for (const [pattern, words] of rules) {
    const found = pattern.exec(why);
    if (found) return words(found);
  }
  return say.plain[why] ?? why;
}

/** Seconds of an event's detail, in whole minutes. */
export const minutesOf = (seconds: unknown): string => formatWhole(Number(seconds) / 60);

/** One line of a case's history. steps: titles by id. */
export function eventWords(event: Pick<CaseEvent, 'what' | 'detail'>, steps: ReadonlyMap<string, string> = new Map()): string {
  const words: Record<string, string> = {};
  for (const [key, value] of Object.entries(event.detail)) {
    if (value === null || value === '') continue;
    if (key === 'why' || (key === 'reason' && event.what === 'moved')) words[key] = whyWords(String(value), steps);
    else if (key === 'to' && event.what.startsWith('notice')) words[key] = casesText.role[String(value)] ?? String(value);
    else if (key === 'after_s') words['minutes'] = minutesOf(value);
    else if (PEOPLE.has(event.what) && (key === 'to' || key === 'from')) words[key] = actorWords(String(value));
    else words[key] = key === 'step' ? (steps.get(String(value)) ?? String(event.detail['title'] ?? value)) : wordOf(key, value);
  }
  const say = casesText.event[event.what === 'notice' && event.detail['state'] === 'unaddressed' ? 'notice-unaddressed' : event.what];
  if (!say) return [humanise(event.what.replaceAll('-', '_')), ...Object.values(words)].join(', ');
  const all = new Proxy(words, { get: (known, key: string) => known[key] ?? '' });
  return say(all).replace(/[.:。：]\s*$/, '').trim();
}

/** Who did it: a log-in without its role, or which part of the platform. */
export const actorWords = (actor: string): string => casesText.actor[actor] ?? actor.replace(/^[a-z_]+:/, '');
