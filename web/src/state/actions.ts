/** What the operator can do. Each asks the API, and shows its answer or its refusal. */

import { api, ProblemError } from '../api/client';
import type { TwinStatus } from '../api/types';
import { text } from '../text';
import { getState, setState, toast } from './store';

export function complain(error: unknown): void {
  if (error instanceof ProblemError && error.status === 401) toast('error', text.errors.login);
  else toast('error', error instanceof Error ? error.message : String(error));
}

export async function refreshSnapshot(): Promise<void> {
  try {
    setState({ snapshot: await api.snapshot(), snapshotLost: false });
  } catch (error) {
    setState({ snapshotLost: true });
    if (error instanceof ProblemError && error.status === 401) complain(error);
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

export function selectJunction(row: number | null): void {
  setState({ selected: row, detail: null, ...(row === null ? {} : { panelOpen: true }) });
  void refreshJunction();
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
