/** How the cases process does, as the event stream tells it each second: for the rail, and for who must read again. */

import type { CasesHealth } from '../../api/case-types';
import { onServerEvent } from '../../live/server-events';
import { makeStore } from '../../state/make-store';

interface Summary {
  health: CasesHealth | null;
  /** When it was last told, on this page's clock. */
  heardMs: number;
  /** What the server's clock is ahead of this page's. */
  aheadMs: number;
}

/** Told each second: after this it is not there. */
export const SILENT_AFTER_MS = 5000;

const store = makeStore<Summary>({ health: null, heardMs: 0, aheadMs: 0 });

export const getSummary = store.get;
export const useSummary = store.use;

/** Deadlines are the server's: now, on its clock. */
export const serverNowMs = (): number => Date.now() + store.get().aheadMs;

const isHealth = (data: unknown): data is CasesHealth => typeof data === 'object' && data !== null && 'changes' in data;

/** Whoever wants to read again after a change; called with each word of the process. */
const readers = new Set<(health: CasesHealth) => void>();

export function onCases(reader: (health: CasesHealth) => void): () => void {
  readers.add(reader);
  return () => void readers.delete(reader);
}

onServerEvent('cases', (data) => {
  if (!isHealth(data)) return;
  const ahead = data.at ? Date.parse(data.at) - Date.now() : Number.NaN;
  // what a message took on its way is no difference of clocks
  const aheadMs = Number.isNaN(ahead) || Math.abs(ahead - store.get().aheadMs) < 2000 ? store.get().aheadMs : ahead;
  store.set({ health: data, heardMs: Date.now(), aheadMs });
  for (const reader of readers) reader(data);
});

let drawing = false;
onCases((health) => {
  if (drawing || health.open_cases === 0) return;
  drawing = true;
  import('./map-layer').then(
    (part) => part.startLayer(),
    () => (drawing = false), // asked for again with the next word
  );
});

/** What somebody should look at: open cases, and alarms that are about none of them and that nobody has noted. */
export const toDo = (): number => store.get().health?.to_do ?? 0;
