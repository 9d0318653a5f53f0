/** Vital signs each second, the worst junctions every three; asked only while somebody looks. */

import { getState } from '../state/store';
import { makeStore } from '../state/make-store';
import { nowApi, type VitalSigns, type WorstPlace } from './api';

interface NowState {
  signs: VitalSigns | null;
  worst: WorstPlace[] | null;
  /** The newest question got no answer. */
  lost: boolean;
  /** The junction of the row that somebody points at, "" for none. */
  pointed: string;
}

export const nowStore = makeStore<NowState>({ signs: null, worst: null, lost: false, pointed: '' });

const WORST_EVERY = 3;
const LISTED = 4;
let round = 0;

/** Ask once more; called by the page's own rhythm of a second. */
export async function refreshNow(): Promise<void> {
  try {
    nowStore.set({ signs: await nowApi.vitalSigns(), lost: false });
    const asked = round++ % WORST_EVERY === 0 && getState().city;
    const worst = asked ? await nowApi.worst(LISTED) : nowStore.get().worst;
    if (worst) nowStore.set({ worst: ranked(worst) });
  } catch {
    nowStore.set({ lost: true });
  }
}

/** With the figures of the newest snapshot, which all lists show, and in their order. */
export function ranked(worst: readonly WorstPlace[]): WorstPlace[] {
  const { geometry, snapshot } = getState();
  const row = new Map(geometry?.junctions.map((one, k) => [one.id, k]));
  return worst
    .map((place) => ({ ...place, standing_veh: snapshot?.junction_standing_veh[row.get(place.junction) ?? -1] ?? place.standing_veh }))
    .sort((a, b) => b.standing_veh - a.standing_veh);
}
