/** What the operator does with missions, and how the page learns of them. */

import { api, ProblemError } from '../../api/client';
import type { DispatchAnswer, DispatchQuestion, MissionOrder } from '../../api/mission-types';
import { uncoverMap } from '../../map/uncover';
import { complain } from '../../state/actions';
import { getRoute } from '../../state/route';
import { getState, setState, toast, type PageState, type PickField } from '../../state/store';
import { withMap } from '../../state/with-map';
import { missionText } from './text';
import { oppositeOf, soonestWay } from './direction';
import { lineOf, nearestStreet, pointOn, streetsOf } from '../../map/streets';

const LISTED = 100;
const PICK_REACH_M = 120;
/** States and details come with the page's one rhythm; the list of those that are over only when it changes. */
let underWay = '?';

/** Called with each snapshot. */
export async function refreshMissions(): Promise<void> {
  const { snapshot, missionId, mission } = getState();
  const now = (snapshot?.missions ?? []).map((brief) => brief.id).join('\n');
  if (getRoute().room !== 'missions') return;
  if (now !== underWay) await refreshEnded(now);
  if (missionId !== null && !(mission?.id === missionId && mission.state === 'ended')) await refreshMission();
}

async function refreshEnded(now: string): Promise<void> {
  try {
    const all = await api.missions(LISTED);
    underWay = now;
    setState({ ended: all.filter((brief) => brief.state === 'ended') });
  } catch {
    // asked again with the next snapshot
  }
}

export async function refreshMission(): Promise<void> {
  const { missionId } = getState();
  if (missionId === null) return;
  try {
    const mission = await api.mission(missionId);
    if (getState().missionId === missionId) setState({ mission });
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) {
      complain(error);
      setState({ missionId: null, mission: null });
    }
  }
}

export function selectMission(id: string | null): void {
  setState({ missionId: id, mission: null, follow: false, choice: null });
  if (id !== null) void refreshMission().then(showWay);
}

/** The whole way of the chosen mission, or of the dispatcher's choice, on the map. */
export function showWay(): void {
  const { mission, choice, geometry } = getState();
  if (!geometry) return;
  const edges = choice?.edges ?? mission?.edges ?? [];
  const line = lineOf(streetsOf(geometry), edges);
  if (line.length) withMap((map) => map.show(line));
}

export async function orderMission(order: MissionOrder): Promise<string | null> {
  try {
    const made = await api.orderMission(order);
    underWay = '?';
    setState({ picked: {}, choice: null, missionId: made.mission.id, mission: made.mission });
    toast('note', missionText.form.ordered(order.vehicle));
    window.setTimeout(() => void refreshMission().then(showWay), 1500); // its route is planned by then
    return order.simulate ? '' : made.key;
  } catch (error) {
    complain(error);
    return null;
  }
}

export async function cancelMission(id: string, vehicle: string, reason: string): Promise<void> {
  try {
    await api.cancelMission(id, reason);
    toast('note', missionText.cancelled(vehicle));
    await refreshMission();
  } catch (error) {
    complain(error);
  }
}

export async function askDispatcher(question: DispatchQuestion): Promise<DispatchAnswer | null> {
  try {
    const answer = await api.dispatch(question);
    setState({ choice: answer.choices[0] ?? null });
    showWay();
    return answer;
  } catch (error) {
    complain(error);
    return null;
  }
}

/** The next click on the map names a section for a field of a form. */
export function pickOnMap(field: PickField): void {
  const { map, geometry } = getState();
  if (!map || !geometry) return;
  const end = (): void => {
    map.pickPoint(null);
    uncoverMap(null);
    window.removeEventListener('keydown', escape);
    setState({ picking: null });
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') end();
  };
  window.addEventListener('keydown', escape);
  setState({ picking: field });
  uncoverMap(missionText.form.picking);
  map.pickPoint((x, y) => {
    const found = nearestStreet(streetsOf(geometry), x, y, PICK_REACH_M);
    if (!found) return toast('note', missionText.form.noStreet);
    pick(field, found.id);
    end();
  });
}

/** Put a section into a field; its direction is free until somebody chooses one, as who writes a section's id does. */
export function pick(field: PickField, edge: string | null, chosen = false): void {
  const { picked, directed } = getState();
  setState({ picked: without(picked, field, edge), directed: { ...directed, [field]: chosen } });
}

function without(picked: PageState['picked'], field: PickField, edge: string | null): PageState['picked'] {
  const { [field]: _old, ...others } = picked;
  return edge === null ? others : { ...others, [field]: edge };
}

/** The other direction of the street, because somebody wants that one. */
export function turnRound(field: PickField): void {
  const { picked, directed, geometry } = getState();
  const edge = picked[field];
  const other = edge && geometry ? oppositeOf(edge, geometry, streetsOf(geometry)) : null;
  if (other) setState({ picked: { ...picked, [field]: other }, directed: { ...directed, [field]: true } });
}

/** Both directions of a section where either will do: neither a person nor a place of the city chose one. */
function directionsOf(field: 'from' | 'to'): string[] {
  const { picked, directed, geometry } = getState();
  const edge = picked[field];
  if (!edge || !geometry) return [];
  const free = !directed[field] && !geometry.places.some((place) => place.edge === edge);
  const other = free ? oppositeOf(edge, geometry, streetsOf(geometry)) : null;
  return other ? [edge, other] : [edge];
}

/** Turn start and end so that the way between them is the soonest, and show it. */
export async function findWay(): Promise<void> {
  const { from, to } = getState().picked;
  const [starts, ends] = [directionsOf('from'), directionsOf('to')];
  if (!from || !to || starts.includes(to)) return setState({ choice: null, noWay: false });
  try {
    const way = await soonestWay(starts, ends, api.dispatch);
    const { picked } = getState();
    if (picked.from !== from || picked.to !== to) return; // chosen anew meanwhile
    setState({ picked: way ? { ...picked, from: way.from, to: way.to } : picked, choice: way?.choice ?? null, noWay: way === null });
    showWay();
  } catch {
    setState({ choice: null, noWay: false }); // the order itself says what is wrong
  }
}

/** Where a chosen section is marked on the map. */
export function markOf(edge: string | undefined): [number, number] | null {
  const { geometry } = getState();
  return edge && geometry ? pointOn(streetsOf(geometry), edge) : null;
}
