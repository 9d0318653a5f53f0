/** What the page knows, in one place, and who wants to hear of changes. */

import { useEffect, useState } from 'preact/hooks';
import type { Alert, CityInfo, CityGeometry, CityState, Controls, JunctionDetail } from '../api/types';
import type { ConnectionState } from '../live/map-socket';
import type { Theme } from '../map/palette';

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
  snapshot: CityState | null;
  /** The snapshot could not be fetched lately. */
  snapshotLost: boolean;
  controls: Controls | null;
  alerts: Alert[];
  connection: ConnectionState;
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
}

const listeners = new Set<() => void>();

let state: PageState = {
  city: null,
  geometry: null,
  loadError: '',
  demoLogin: false,
  snapshot: null,
  snapshotLost: false,
  controls: null,
  alerts: [],
  connection: 'connecting',
  ageS: 0,
  timeS: Number.NaN,
  measuredSpeed: 0,
  selected: null,
  detail: null,
  zoom: 0,
  theme: 'dark',
  panelOpen: true,
  toasts: [],
};

export const getState = (): Readonly<PageState> => state;

export function setState(change: Partial<PageState>): void {
  const keys = Object.keys(change) as (keyof PageState)[];
  if (keys.every((key) => Object.is(state[key], change[key]))) return;
  state = { ...state, ...change };
  for (const listener of [...listeners]) listener();
}

/** Part of the state; the component is drawn again only when that part is another one. */
export function useStore<T>(select: (state: Readonly<PageState>) => T): T {
  const [value, setValue] = useState<T>(() => select(state));
  useEffect(() => {
    const check = (): void => setValue(() => select(state));
    check();
    listeners.add(check);
    return () => void listeners.delete(check);
  }, []);
  return value;
}

let nextToast = 1;
const TOAST_MS = 8000;
const MOST_TOASTS = 4;

export function toast(kind: Toast['kind'], message: string): void {
  if (state.toasts.some((old) => old.message === message)) return;
  const entry = { id: nextToast++, kind, message };
  setState({ toasts: [...state.toasts, entry].slice(-MOST_TOASTS) });
  window.setTimeout(() => dismissToast(entry.id), TOAST_MS);
}

export function dismissToast(id: number): void {
  setState({ toasts: state.toasts.filter((entry) => entry.id !== id) });
}
