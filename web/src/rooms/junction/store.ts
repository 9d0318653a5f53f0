/** What the room knows of the junction it shows, asked again each second while somebody looks. */

import { complain } from '../../state/actions';
import { makeStore } from '../../state/make-store';
import type { Emptying } from './model';
import { junctionApi, type GroundPlan, type LedgerEntry, type Override, type Recent } from './api';

interface JunctionState {
  id: string;
  recent: Recent | null;
  plan: GroundPlan | null;
  record: LedgerEntry[];
  /** The override that ended while somebody looked, until that has been read. */
  ended: Override | null;
  /** since_s of the override that is being given back here: its end is no news. */
  leaving: number;
  /** A group that somebody points at, its row; -1: none. */
  pointed: number;
  /** A stage that somebody thinks of requesting: the map shows whom it lets go. "": none. */
  previewed: string;
  /** The full road that the override requested here is to empty. It outlives a look elsewhere. */
  emptying: Emptying | null;
}

export const junctionStore = makeStore<JunctionState>({ id: '', recent: null, plan: null, record: [], ended: null, leaving: Number.NaN, pointed: -1, previewed: '', emptying: null });

const EVERY_MS = 1000;

/** Show a junction from now on; returns how to stop. */
export function watchJunction(id: string): () => void {
  junctionStore.set({ id, recent: null, plan: null, record: [], ended: null, leaving: Number.NaN, pointed: -1, previewed: '' });
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking || document.visibilityState !== 'visible') return;
    asking = true;
    await refreshRecent(id);
    asking = false;
  };
  void ask();
  void junctionApi.groundPlan(id).then((plan) => mine(id) && junctionStore.set({ plan }), complain);
  void refreshRecord(id);
  const timer = window.setInterval(() => void ask(), EVERY_MS);
  return () => window.clearInterval(timer);
}

const mine = (id: string): boolean => junctionStore.get().id === id;

export async function refreshRecent(id: string): Promise<void> {
  const before = junctionStore.get().recent?.override ?? null;
  try {
    const recent = await junctionApi.recent(id);
    if (!mine(id)) return;
    junctionStore.set({ recent });
    if (recent.override) junctionStore.set({ ended: null });
    else if (before && before.since_s !== junctionStore.get().leaving) junctionStore.set({ ended: before });
    if (recent.override?.since_s !== before?.since_s) void refreshRecord(id); // how it began, or ended
  } catch {
    // what is shown grows old; the head of the page says that nobody answers
  }
}

export async function refreshRecord(id: string): Promise<void> {
  try {
    const record = await junctionApi.record(id);
    if (mine(id)) junctionStore.set({ record });
  } catch (error) {
    complain(error);
  }
}
