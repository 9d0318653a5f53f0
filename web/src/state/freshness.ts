/** How old what the page shows is: wall seconds since the brain's newest state, as the API last told it.
 *
 * One clock serves every panel: when the API or the processes behind it are gone, it simply goes on. */

import { makeStore } from './make-store';

/** A state comes each second and is asked for each second: older than this, something is wrong. */
export const STALE_S = 2.6;
const LOOK_MS = 200;

let sinceMs = Number.NaN;
/** When the page last began to call what it shows old, on its own clock. For the tests. */
export const told = { atMs: Number.NaN };
const store = makeStore<{ ageS: number }>({ ageS: 0 });

/** A state arrived that was so old. */
export function heard(ageS: number, nowMs = performance.now()): void {
  sinceMs = nowMs - 1000 * ageS;
  look(nowMs);
}

/** Whole seconds since, 0 while all is well or nothing was ever heard. */
export function look(nowMs = performance.now()): number {
  const ageS = (nowMs - sinceMs) / 1000;
  const was = store.get().ageS;
  store.set({ ageS: ageS > STALE_S ? Math.round(ageS) : 0 });
  if (!was && store.get().ageS) told.atMs = nowMs;
  return store.get().ageS;
}

export const useAgeS = (): number => store.use((s) => s.ageS);

export const watchAge = (): number => window.setInterval(look, LOOK_MS);
