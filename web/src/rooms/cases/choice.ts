/** Which row is chosen in each list, kept while somebody looks at a case and comes back; and which half of the room
 * the keys work on. */

import { makeStore } from '../../state/make-store';
import { workedOn } from './model';

export type List = 'group' | 'alarm' | 'case' | 'step';
export type Pane = 'alarms' | 'cases';
/** Ids of the lists; a list without rows is not on the page, but one that is still being read is. */
export const ALARM_LIST = 'alarm-list';
export const CASE_LIST = 'case-list';
const LIST_OF: Record<Pane, string> = { alarms: ALARM_LIST, cases: CASE_LIST };
const hasRows = (pane: Pane): boolean => Number(document.getElementById(LIST_OF[pane])?.dataset.count ?? 0) > 0;
type Key = string | number | null;

interface Choices {
  chosen: Readonly<Record<List, Key>>;
  /** Where it stood, for when it has gone. */
  place: Readonly<Record<List, number>>;
  pane: Pane;
}

const store = makeStore<Choices>({
  chosen: { group: null, alarm: null, case: null, step: null },
  place: { group: 0, alarm: 0, case: 0, step: 0 },
  pane: 'alarms',
});

export const choice = {
  set: (list: List, key: Key, place: number): void => {
    const { chosen, place: places } = store.get();
    if (chosen[list] === key && places[list] === place) return;
    store.set({ chosen: { ...chosen, [list]: key }, place: { ...places, [list]: place } });
  },
  /** The same, unless somebody has chosen otherwise since `before` was read. */
  settle: (list: List, before: readonly [Key, number], key: Key, place: number): void => {
    const { chosen, place: places } = store.get();
    if (chosen[list] === before[0] && places[list] === before[1]) choice.set(list, key, place);
  },
  enter: (pane: Pane): void => store.set({ pane }),
  /** The half that the keys work on now. */
  pane: (): Pane => workedOn(store.get().pane, hasRows),
};

/** A list goes, its last row worked off: the keys go on in the other one, unless the focus is already elsewhere. */
export function passFocusOn(): void {
  if (document.activeElement === null || document.activeElement === document.body) {
    document.getElementById(LIST_OF[choice.pane()])?.focus({ preventScroll: true });
  }
}

export const usePane = (): Pane => store.use((s) => s.pane);

/** What is chosen in a list, and where it stood. */
export function useChoice<K extends Key>(list: List): [K | null, number] {
  const chosen = store.use((s) => s.chosen[list]);
  const place = store.use((s) => s.place[list]);
  return [chosen as K | null, place];
}
