/** A vehicle for which a junction is held, as people call it: the missions' page names missions the same way. */

import type { CityGeometry } from '../api/types';
import { formatClock } from '../format';
import { whereIs } from '../map/street-names';
import { streetsOf } from '../map/streets';
import { getState } from '../state/store';
import type { HeldFor } from './api';
import { words } from './text';

/** "Ambulance 7 to Klinikum", "bus line 10". */
export function nameVehicle({ kind, id, name, to_edge }: HeldFor, geometry: CityGeometry | null): string {
  if (kind === 'bus') return words.heldFor.bus(name);
  return words.heldFor.mission(name || id, to_edge && geometry ? destination(to_edge, geometry) : '');
}

/** A place, or the junction near the end of its way; "" where neither has a name. */
function destination(edge: string, geometry: CityGeometry): string {
  const { name, near } = whereIs(edge, geometry, streetsOf(geometry));
  return name === edge ? near : name;
}

/** The same with until about when, as far as that is known and still to come. */
export function tellVehicle(heldFor: HeldFor, geometry: CityGeometry | null, epoch: string, nowS: number): string {
  const who = nameVehicle(heldFor, geometry);
  const { until_s: until } = heldFor;
  return until === null || !(until > nowS) ? words.heldFor.held(who) : words.heldFor.until(who, formatClock(epoch, until));
}

/** How a mission is called that is known by its id alone. */
export const callSign = (mission: string): string => getState().snapshot?.missions.find((one) => one.id === mission)?.vehicle || mission;
