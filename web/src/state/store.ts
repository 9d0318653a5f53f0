/** What the page knows, in one place, and who wants to hear of changes. */

import type { Alert, CityInfo, CityGeometry, CityState, Controls, JunctionDetail } from '../api/types';
import type { DispatchChoice, Mission, MissionBrief } from '../api/mission-types';
import type { ConnectionState } from '../live/map-socket';
import type { CityMap } from '../map/city-map';
import type { Theme } from '../map/palette';
import { makeStore } from './make-store';
import type { User } from './user';

export interface Toast {
  id: number;
  kind: 'error' | 'note';
  message: string;
}

export interface PageState {
  city: CityInfo | null;
  geometry: CityGeometry | null;
  loadError: string;
  demoLogin: boolean;
  /** Known once the server has said who is logged in. */
  user: User | null;
  snapshot: CityState | null;
  /** The snapshot could not be fetched lately. */
  snapshotLost: boolean;
  controls: Controls | null;
  alerts: Alert[];
  connection: ConnectionState;
  /** Junctions that were held by hand at the moment that is replayed; null: the present is shown. */
  pastOverrides: readonly { junction: string }[] | null;
  /** Wall seconds since the last frame, in whole seconds while it is stale. */
  ageS: number;
  /** Platform second that the map shows. */
  timeS: number;
  measuredSpeed: number;
  selected: number | null;
  detail: JunctionDetail | null;
  zoom: number;
  theme: Theme;
  panelOpen: boolean;
  toasts: Toast[];
  /** The live map, once it is there. */
  map: CityMap | null;
  /** Missions that are over, newest first, as last asked. */
  ended: MissionBrief[];
  missionId: string | null;
  mission: Mission | null;
  /** Keep the chosen mission's vehicle in the middle of the map. */
  follow: boolean;
  /** Which field of a form waits for a click on the map. */
  picking: PickField | null;
  /** Sections put into the forms, by field. */
  picked: Partial<Record<PickField, string>>;
  /** Fields in which a person chose the direction of driving: it is not turned for a shorter way. */
  directed: Partial<Record<PickField, boolean>>;
  /** Answer of the dispatcher's question that is shown on the map. */
  choice: DispatchChoice | null;
  /** No way leads from the chosen start to the chosen end. */
  noWay: boolean;
}

export type PickField = 'from' | 'to' | 'address' | 'candidate';

const store = makeStore<PageState>({
  city: null,
  geometry: null,
  loadError: '',
  demoLogin: false,
  user: null,
  snapshot: null,
  snapshotLost: false,
  controls: null,
  alerts: [],
  connection: 'connecting',
  pastOverrides: null,
  ageS: 0,
  timeS: Number.NaN,
  measuredSpeed: 0,
  selected: null,
  detail: null,
  zoom: 0,
  theme: 'dark',
  panelOpen: true,
  toasts: [],
  map: null,
  ended: [],
  missionId: null,
  mission: null,
  follow: false,
  picking: null,
  picked: {},
  directed: {},
  choice: null,
  noWay: false,
});

export const getState = store.get;
export const setState = store.set;
export const subscribe = store.subscribe;
export const useStore = store.use;

let nextToast = 1;
const TOAST_MS = 8000;
const MOST_TOASTS = 4;

export function toast(kind: Toast['kind'], message: string): void {
  if (getState().toasts.some((old) => old.message === message)) return;
  const entry = { id: nextToast++, kind, message };
  setState({ toasts: [...getState().toasts, entry].slice(-MOST_TOASTS) });
  window.setTimeout(() => dismissToast(entry.id), TOAST_MS);
}

export function dismissToast(id: number): void {
  setState({ toasts: getState().toasts.filter((entry) => entry.id !== id) });
}
