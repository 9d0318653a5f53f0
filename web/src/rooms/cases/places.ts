/** Places of reports: a junction, a section with its lanes, or a point, found by name or by a click. */

import type { CityGeometry } from '../../api/types';
import { USE } from '../../map/geometry';
import { resolvePlace } from '../../map/street-names';
import { nearestStreet, pointOn, streetsOf } from '../../map/streets';

export interface Spot {
  x_m: number;
  y_m: number;
  edge: string;
  junction: string;
}

/** A click this near to a junction means the junction. */
const JUNCTION_REACH_M = 25;
const STREET_REACH_M = 60;

/** What a click on the map means. */
export function placeAt(x: number, y: number, geometry: CityGeometry): Spot {
  let [junction, nearM] = ['', JUNCTION_REACH_M];
  for (const one of geometry.junctions) {
    const awayM = Math.hypot(one.x_m - x, one.y_m - y);
    if (awayM < nearM) [junction, nearM] = [one.id, awayM];
  }
  const street = junction ? null : nearestStreet(streetsOf(geometry), x, y, STREET_REACH_M);
  return { x_m: x, y_m: y, edge: street?.id ?? '', junction };
}

/** What somebody typed: a junction's or place's name or id, or a section's id; null where it is none. */
export function placeOf(typed: string, geometry: CityGeometry): Spot | null {
  const wanted = typed.trim().toLowerCase();
  const junction = geometry.junctions.find((one) => one.id.toLowerCase() === wanted || (wanted !== '' && one.name.toLowerCase() === wanted));
  if (junction) return { x_m: junction.x_m, y_m: junction.y_m, edge: '', junction: junction.id };
  const streets = streetsOf(geometry);
  const edge = resolvePlace(typed, geometry, streets);
  const point = edge === null ? null : pointOn(streets, edge);
  return edge !== null && point ? { x_m: point[0], y_m: point[1], edge, junction: '' } : null;
}

/** Rows of the geometry's lanes of a section, from the right, pavements left out of the count from the left on. */
export function lanesOf(edge: string, geometry: CityGeometry): number[] {
  const row = edge ? (geometry.edges?.id.indexOf(edge) ?? -1) : -1;
  const rows: number[] = [];
  if (row >= 0) geometry.lanes.edge.forEach((of, lane) => of === row && rows.push(lane));
  return rows;
}

/** The same without lanes that no vehicle uses; what is left keeps its index. */
export const drivenLanes = (edge: string, geometry: CityGeometry): [index: number, row: number][] =>
  lanesOf(edge, geometry)
    .map((row, index): [number, number] => [index, row])
    .filter(([, row]) => (geometry.lanes.use[row] & (USE.motor | USE.bus | USE.tram | USE.bicycle)) !== 0);

const DAY_MIN = 1440;

/** Seconds of the minutes that somebody typed; null where nothing is typed, undefined where it is no such time. */
export function agoS(typed: string): number | null | undefined {
  if (!typed.trim()) return null;
  const minutes = Number(typed);
  return minutes >= 0 && minutes <= DAY_MIN ? minutes * 60 : undefined;
}
