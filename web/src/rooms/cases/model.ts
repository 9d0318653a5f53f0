/** What the alarms' and cases' room works out, without a page: urgency, time that is left, lists, the way of a case. */

import {
  CASE_STATES,
  URGENCY_LEVELS,
  type AlarmGroup,
  type CaseEvent,
  type CaseFile,
  type CaseState,
  type CaseStep,
  type CaseSummary,
  type CaseUrgency,
} from '../../api/case-types';

export const rankOf = (urgency: CaseUrgency): number => URGENCY_LEVELS.indexOf(urgency);

/** The most urgent of some; null of none. */
export function highest(urgencies: readonly CaseUrgency[]): CaseUrgency | null {
  return urgencies.reduce<CaseUrgency | null>((best, one) => (best === null || rankOf(one) < rankOf(best) ? one : best), null);
}

/** Corners of an urgency's mark in a square of −1 to 1; y grows downwards. Each level has a shape of its own, so
 * that nobody needs to see its colour. */
export function shapeOf(urgency: CaseUrgency): [number, number][] {
  switch (urgency) {
    case 'urgent':
      return [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]];
    case 'high':
      return [[0, -1], [1.1, 0.9], [-1.1, 0.9]];
    case 'medium':
      return [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]];
    case 'low':
      return Array.from({ length: 16 }, (_, k): [number, number] => {
        const angle = (k / 16) * 2 * Math.PI;
        return [0.9 * Math.sin(angle), -0.9 * Math.cos(angle)];
      });
  }
}

/** Milliseconds that are left until an instant, below 0 once it has passed. */
export const leftMs = (until: string, nowMs: number): number => Date.parse(until) - nowMs;

export type Pressure = 'none' | 'calm' | 'soon' | 'over';
/** From here on a deadline is near. */
const SOON_MS = 60_000;

export function pressureOf(due: string | null, nowMs: number): Pressure {
  if (due === null) return 'none';
  const ms = leftMs(due, nowMs);
  return ms < 0 ? 'over' : ms < SOON_MS ? 'soon' : 'calm';
}

/** What a case waits for first: the earliest of its own deadline and those of its open steps; null where nothing
 * is due. */
export function nextDue(file: Pick<CaseFile, 'case' | 'steps'>): string | null {
  const due = [file.case.deadline, ...file.steps.filter((step) => step.state === 'open').map((step) => step.due)];
  return due.filter((one): one is string => one !== null).sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}

/** The steps of the state a case is in, then those of states that are over. */
export function stepsNow(file: CaseFile): { now: CaseStep[]; before: CaseStep[] } {
  const now = file.steps.filter((step) => step.during === file.case.state);
  return { now, before: file.steps.filter((step) => !now.includes(step)) };
}

/** The states that a case has left behind it without ever having been in them: closed at once is not handled. */
export function passedBy(file: Pick<CaseFile, 'case' | 'events'>): CaseState[] {
  if (!file.events.some((event) => event.what === 'opened')) return []; // of a long history the beginning is not here
  const been = new Set<unknown>(['reception']);
  for (const { what, detail } of file.events) if (what === 'moved' || what === 'reopened') been.add(detail['to']);
  return CASE_STATES.slice(0, CASE_STATES.indexOf(file.case.state)).filter((state) => !been.has(state));
}

/** The word that nobody has confirmed what was reported, while it holds: the newest on whether it is there; null where
 * there is none, or somebody has said or seen it since. */
export function notConfirmed(file: Pick<CaseFile, 'case' | 'events'>): CaseEvent | null {
  if (file.case.state === 'closed') return null;
  const said = ['not-confirmed', 'report', 'incident', 'incident-over', 'merged'];
  const newest = file.events.filter((event) => said.includes(event.what)).at(-1);
  return newest?.what === 'not-confirmed' ? newest : null;
}

/** Required steps that hold a case where it is. */
export const holding = (file: CaseFile): CaseStep[] => stepsNow(file).now.filter((step) => step.required && step.state === 'open');

/** Where a case may go, the way forward first, to close it last. */
export function movesInOrder(state: CaseState, moves: readonly CaseState[]): CaseState[] {
  const at = CASE_STATES.indexOf(state);
  const key = (to: CaseState): number => {
    const step = CASE_STATES.indexOf(to);
    if (to === 'closed') return state === 'clearing' ? -1 : 90;
    return step > at ? step : 50 + step;
  };
  return [...moves].sort((a, b) => key(a) - key(b));
}

/** The move that brings a case on; null where there is none. */
export function forward(state: CaseState, moves: readonly CaseState[]): CaseState | null {
  const first = movesInOrder(state, moves)[0];
  if (!first || state === 'closed') return null;
  return CASE_STATES.indexOf(first) > CASE_STATES.indexOf(state) ? first : null;
}

/** Overdue cases first, then by urgency, then the newest. */
export function sortCases(cases: readonly CaseSummary[]): CaseSummary[] {
  return [...cases].sort(
    (a, b) => Number(b.late) - Number(a.late) || rankOf(a.urgency) - rankOf(b.urgency) || Date.parse(b.opened) - Date.parse(a.opened),
  );
}

/** The key that is chosen after a list has changed: itself while it is there, else what now stands in its place. */
export function keepChosen<K>(keys: readonly K[], chosen: K | null, index: number): K | null {
  if (chosen !== null && keys.includes(chosen)) return chosen;
  return keys[Math.min(Math.max(0, index), keys.length - 1)] ?? null;
}

/** The half of the room that keys work on: the chosen one, unless it has no list and the other has. */
export function workedOn(chosen: 'alarms' | 'cases', hasList: (pane: 'alarms' | 'cases') => boolean): 'alarms' | 'cases' {
  const other = chosen === 'alarms' ? 'cases' : 'alarms';
  return !hasList(chosen) && hasList(other) ? other : chosen;
}

/** Open cases without one that is known to have been closed: the list may be older than the file. */
export function withoutClosed(cases: readonly CaseSummary[], file: CaseFile): readonly CaseSummary[] {
  if (file.case.state !== 'closed') return cases;
  return cases.some((one) => one.id === file.case.id) ? cases.filter((one) => one.id !== file.case.id) : cases;
}

/** Rows of a long list that are to be drawn, a few more than can be seen. */
export function rowsInSight(scrollPx: number, heightPx: number, rowPx: number, count: number, spare = 6): [number, number] {
  const first = Math.max(0, Math.floor(scrollPx / rowPx) - spare);
  const last = Math.min(count, Math.ceil((scrollPx + heightPx) / rowPx) + spare);
  return [Math.min(first, last), last];
}

/** Where to scroll so that a row can be seen; null where it can. */
export function scrollFor(row: number, scrollPx: number, heightPx: number, rowPx: number): number | null {
  const [top, bottom] = [row * rowPx, (row + 1) * rowPx];
  if (top < scrollPx) return top;
  return bottom > scrollPx + heightPx ? bottom - heightPx : null;
}

/** Offsets of the pages that hold rows first to last (exclusive). */
export function pagesOf(first: number, last: number, size: number): number[] {
  const offsets: number[] = [];
  for (let at = Math.floor(first / size) * size; at < last; at += size) offsets.push(at);
  return offsets;
}

/** Groups in the order in which they are shown: the most urgent that nobody has noted first. */
export function sortGroups(groups: readonly AlarmGroup[]): AlarmGroup[] {
  const open = (group: AlarmGroup): number => Number(group.unacknowledged === 0);
  return [...groups].sort(
    (a, b) => Number(a.id === 'rest') - Number(b.id === 'rest') || open(a) - open(b) || rankOf(a.urgency) - rankOf(b.urgency),
  );
}
