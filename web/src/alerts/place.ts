/** Where an alarm is: its junction by name, else the street section that it speaks of; and the way there. */

import { selectJunction } from '../state/actions';
import { getState } from '../state/store';
import { withMap } from '../state/with-map';
import { whereIs } from '../map/street-names';
import { lineOf, streetsOf } from '../map/streets';
import { alertText } from './text';
import type { Sentence } from './words';

interface Placed {
  junction: string;
  said?: readonly Sentence[];
}

const edgeOf = (alarm: Placed): string => String(alarm.said?.[0]?.values['edge'] ?? '');

/** "" where it is at no place: a brain that failed, say. */
export function placeName(alarm: Placed): string {
  const { geometry } = getState();
  if (alarm.junction) return geometry?.junctions.find((one) => one.id === alarm.junction)?.name || alarm.junction;
  const edge = edgeOf(alarm);
  if (!edge || !geometry) return edge;
  const { name, near } = whereIs(edge, geometry, streetsOf(geometry));
  return name === edge ? near || alertText.section(edge) : name;
}

/** To the junction's page, or to the section on the map. */
export function showPlace(alarm: Placed): void {
  const { geometry } = getState();
  if (!geometry) return;
  const row = geometry.junctions.findIndex((one) => one.id === alarm.junction);
  if (row >= 0) return selectJunction(row);
  const line = lineOf(streetsOf(geometry), [edgeOf(alarm)]);
  if (line.length) withMap((map) => map.show(line));
}

/** Whether there is a place to show. */
export function hasPlace(alarm: Placed): boolean {
  const { geometry } = getState();
  if (!geometry) return false;
  return geometry.junctions.some((one) => one.id === alarm.junction) || streetsOf(geometry).row.has(edgeOf(alarm));
}
