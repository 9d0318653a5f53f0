/** A change as it is put together, and as it is told in words. */

import type { Change, Closure, EventDemand, PlanSetting } from './types';

export const NOTHING: Change = { closures: [], control: '', plans: [], demand_factor: 1, detours: [], events: [] };

/** What the address says is closed, else nothing: `edge=E1&lanes=0,1`, or one lane by its id, `lane=E1_0`. */
export function startOf(query: Readonly<Record<string, string>>): Change {
  const { edge, lanes = '', lane = '' } = query;
  const [, of, index] = /^(.+)_(\d+)$/.exec(lane) ?? [];
  if (!edge) return of ? withClosure(NOTHING, { edge: of, lanes: [Number(index)] }) : NOTHING;
  const numbers = lanes.split(',').filter((one) => /^\d+$/.test(one));
  return withClosure(NOTHING, { edge, lanes: numbers.map(Number) });
}

export interface Words {
  close: (section: string) => string;
  closeLanes: (section: string, lanes: string) => string;
  control: (name: string) => string;
  plan: (junction: string, steps: string, offset: string) => string;
  more: (percent: string) => string;
  less: (percent: string) => string;
  event: (from: string, to: string, rate: string) => string;
  detour: (section: string, percent: string) => string;
}

/** Each part in a few words, in the order in which they can be taken out again (`without`). */
export function partsOf(change: Change, words: Words): string[] {
  const percent = Math.round(100 * (change.demand_factor - 1));
  return [
    ...change.closures.map(({ edge, lanes }) => (lanes.length ? words.closeLanes(edge, lanes.join(', ')) : words.close(edge))),
    ...change.plans.map(({ junction, durations_s, offset_s }) => words.plan(junction, durations_s.join(' + '), String(offset_s))),
    ...change.events.map((event) => words.event(event.from_edge, event.to_edge, String(event.veh_per_h))),
    ...change.detours.map(({ edge, share }) => words.detour(edge, String(Math.round(100 * share)))),
    ...(percent ? [percent > 0 ? words.more(String(percent)) : words.less(String(-percent))] : []),
    ...(change.control ? [words.control(change.control)] : []),
  ];
}

/** The change without its part of that number in `partsOf`. */
export function without(change: Change, part: number): Change {
  const lists = ['closures', 'plans', 'events', 'detours'] as const;
  let at = part;
  for (const name of lists) {
    if (at < change[name].length) return { ...change, [name]: (change[name] as unknown[]).filter((_, k) => k !== at) };
    at -= change[name].length;
  }
  if (change.demand_factor !== 1 && at-- === 0) return { ...change, demand_factor: 1 };
  return { ...change, control: '' };
}

export const isNothing = (change: Change): boolean => partsOf(change, PLAIN).length === 0;

/** A section is closed once: a second closure takes the place of the first. */
export const withClosure = (change: Change, closure: Closure): Change => ({
  ...change,
  closures: [...change.closures.filter(({ edge }) => edge !== closure.edge), { ...closure, lanes: [...closure.lanes].sort((a, b) => a - b) }],
});

export const withPlan = (change: Change, plan: PlanSetting): Change => ({
  ...change,
  plans: [...change.plans.filter(({ junction }) => junction !== plan.junction), plan],
});

export const withEvent = (change: Change, event: EventDemand): Change => ({ ...change, events: [...change.events, event] });

/** A plan's offset counts modulo its cycle: the same one from 0 on, in tenths of a second. */
export function wrapOffset(offsetS: number, durationsS: readonly number[]): number {
  const cycleS = durationsS.reduce((sum, one) => sum + one, 0);
  if (!(cycleS > 0) || !Number.isFinite(offsetS)) return 0;
  const wrapped = Math.round((((offsetS % cycleS) + cycleS) % cycleS) * 10) / 10;
  return wrapped >= cycleS ? 0 : wrapped;
}

const PLAIN: Words = {
  close: (section) => section,
  closeLanes: (section) => section,
  control: (name) => name,
  plan: (junction) => junction,
  more: (percent) => percent,
  less: (percent) => percent,
  event: (from) => from,
  detour: (section) => section,
};
