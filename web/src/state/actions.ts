/** What the operator can do. Each asks the API, and shows its answer or its refusal. */

import { api, ProblemError } from '../api/client';
import type { CityState, TwinStatus } from '../api/types';
import { heard } from './freshness';
import { getRoute, go, HOME, onRoute, type Route } from './route';
import { text } from '../text';
import { getState, setState, subscribe, toast } from './store';
import { isOwn, personWords, takenFrom } from './takeovers';

/** Room of one junction: `#/junction/ID`. */
export const JUNCTION = 'junction';

export function complain(error: unknown): void {
  if (error instanceof ProblemError && error.status === 401) return; // the log-in asks by itself
  toast('error', error instanceof Error ? error.message : String(error));
}

export async function refreshSnapshot(): Promise<void> {
  try {
    const snapshot = await api.snapshot();
    tellTaken(getState().snapshot, snapshot);
    heard(snapshot.age_s);
    setState({ snapshot, snapshotLost: false });
  } catch {
    setState({ snapshotLost: true });
  }
}

/** Who overrides a junction hears of it when somebody else takes it over or gives it back. */
function tellTaken(before: CityState | null, now: CityState): void {
  const { user, geometry } = getState();
  if (!before || !user || now.time_s < before.time_s) return;
  for (const { junction, by } of takenFrom(before.overrides, now.overrides, user.actor, now.time_s)) {
    const name = geometry?.junctions.find((one) => one.id === junction)?.name || junction;
    if (isOwn(junction)) continue;
    toast('error', by === '' ? text.held.ended(name) : by === user.actor ? text.held.elsewhere(name) : text.held.taken(personWords(by), name));
  }
}

export async function refreshControls(): Promise<void> {
  try {
    setState({ controls: await api.controls() });
  } catch {
    // asked again when the snapshot names another control, or the connection is back
  }
}

export async function refreshAlerts(): Promise<void> {
  try {
    setState({ alerts: await api.alerts() });
  } catch {
    // the stream asks again when it opens
  }
}

export async function refreshJunction(): Promise<void> {
  const { selected, geometry } = getState();
  if (selected === null || !geometry) return;
  try {
    const detail = await api.junction(geometry.junctions[selected].id);
    if (getState().selected === selected) setState({ detail });
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) complain(error);
  }
}

/** Where one was before looking at junctions. */
let before: Route | null = null;

/** Look at a junction: go to its place. null: back to where one came from. */
export function selectJunction(row: number | null): void {
  const here = getRoute();
  const id = row === null ? null : getState().geometry?.junctions[row]?.id;
  if (id === undefined) return;
  if (id !== null) {
    if (here.room !== JUNCTION) before = here;
    setState({ panelOpen: true });
    go(JUNCTION, id);
  } else if (here.room === JUNCTION) {
    const { room, item, query } = before ?? { room: HOME, item: '', query: {} };
    go(room, item, query);
  }
}

/** The chosen junction is the one in the address. */
export function followAddress(): void {
  const follow = (): void => {
    const { geometry, selected } = getState();
    if (!geometry) return;
    const { room, item } = getRoute();
    const row = room === JUNCTION ? geometry.junctions.findIndex((junction) => junction.id === item) : -1;
    const chosen = row < 0 ? null : row;
    if (chosen === selected) return;
    setState({ selected: chosen, detail: null });
    void refreshJunction();
  };
  onRoute(follow);
  subscribe(follow);
}

export async function changeTwin(change: { paused?: boolean; speed?: number }): Promise<void> {
  try {
    takeTwin(await api.setTwin(change));
    await refreshSnapshot();
  } catch (error) {
    complain(error);
  }
}

export async function switchBrain(name: string, enabled: boolean, reason: string): Promise<void> {
  try {
    await api.switchBrain(name, enabled, reason);
    await refreshSnapshot();
  } catch (error) {
    complain(error);
  }
}

export async function changeControl(name: string, reason: string): Promise<void> {
  try {
    await api.setControl(name, reason);
    await Promise.all([refreshControls(), refreshSnapshot()]);
  } catch (error) {
    complain(error);
  }
}

/** Show the twin's answer at once; the next snapshot, a second later, says the same. */
function takeTwin(twin: TwinStatus): void {
  const { snapshot } = getState();
  if (snapshot) setState({ snapshot: { ...snapshot, twin } });
}
