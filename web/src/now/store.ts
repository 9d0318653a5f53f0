/** Vital signs and the worst junctions, each second and of the same moment; asked only while somebody looks. */

import { getState } from '../state/store';
import { makeStore } from '../state/make-store';
import { nowApi, type FullRoad, type VitalSigns, type WorstPlace } from './api';

interface NowState {
  signs: VitalSigns | null;
  worst: WorstPlace[] | null;
  /** Roads that the strip's sign counts. */
  full: FullRoad[];
  /** The list as it is read: kept while somebody points at it. Null while none is shown. */
  listed: WorstPlace[] | null;
  /** Platform second of that list. */
  worstS: number;
  /** The newest question got no answer. */
  lost: boolean;
  /** The junction of the row that somebody points at, "" for none. */
  pointed: string;
}

export const nowStore = makeStore<NowState>({ signs: null, worst: null, full: [], listed: null, worstS: Number.NaN, lost: false, pointed: '' });

const LISTED = 4;
const MOST_FULL = 50;

/** What the strip counts; 0 where it is not known. */
export const spillBacks = (signs: VitalSigns | null): number => signs?.signs.find((one) => one.id === 'spill-backs')?.value ?? 0;

/** Ask once more; called by the page's own rhythm of a second. */
export async function refreshNow(): Promise<void> {
  try {
    const [signs, worst] = await Promise.all([nowApi.vitalSigns(), getState().city ? nowApi.worst(LISTED) : null]);
    const full = worst && spillBacks(signs) > 0 ? await nowApi.fullRoads(MOST_FULL) : [];
    nowStore.set({ signs, full, lost: false, ...(worst && { worst: ranked(worst), worstS: signs.time_s }) });
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
