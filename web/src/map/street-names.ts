/** What people call a street section, and which section they mean by what they write. */

import type { CityPlace } from '../api/mission-types';
import type { CityGeometry } from '../api/types';
import { streetsOf, type Streets } from './streets';

export const placeLabel = (place: CityPlace): string => place.name || place.id;

/** How a section is called: by a place on it, else by its street with its id, else by its id. */
export function nameOf(edge: string, geometry: CityGeometry): string {
  const place = geometry.places.find((p) => p.edge === edge);
  if (place) return placeLabel(place);
  const streets = streetsOf(geometry);
  const street = streets.names[streets.row.get(edge) ?? -1];
  return street ? `${street} (${edge})` : edge;
}

/** A junction further than this from a section does not tell where it is. */
const NEAR_M = 600;

/** Where a section is, for people: a place on it, or its street and id and the junction near its end. */
export function whereIs(edge: string, geometry: CityGeometry, streets: Streets): { name: string; near: string } {
  const name = nameOf(edge, geometry);
  const row = streets.row.get(edge);
  const line = row === undefined ? [] : streets.line[row];
  if (geometry.places.some((p) => p.edge === edge) || line.length < 4) return { name, near: '' };
  let [near, nearM] = ['', NEAR_M];
  for (const junction of geometry.junctions) {
    const awayM = Math.hypot(line[line.length - 2] - junction.x_m, line[line.length - 1] - junction.y_m);
    if (junction.name && awayM < nearM) [near, nearM] = [junction.name, awayM];
  }
  return { name, near };
}

/** Where a junction is entered or left: the end of a drivable section nearest to it. */
function atJunction(streets: Streets, x: number, y: number): string | null {
  let [best, bestM] = [null as string | null, Infinity];
  streets.line.forEach((line, row) => {
    if (!streets.drivable[row] || line.length < 4) return;
    const awayM = Math.hypot(line[line.length - 2] - x, line[line.length - 1] - y);
    if (awayM < bestM) [best, bestM] = [streets.ids[row], awayM];
  });
  return best;
}

/** The section whose own id is typed, alone or as `nameOf` writes it: that one, and no other direction. */
export function sectionIn(typed: string, streets: Pick<Streets, 'row'>): string | null {
  const id = /\(([^()]+)\)\s*$/.exec(typed)?.[1] ?? '';
  return [typed.trim(), id].find((section) => streets.row.has(section)) ?? null;
}

/** The section that a person means: name or id of a place, name or id of a junction, or a section's own id. */
export function resolvePlace(typed: string, geometry: CityGeometry, streets: Streets): string | null {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return null;
  const place = geometry.places.find((p) => placeLabel(p).toLowerCase() === wanted || p.id.toLowerCase() === wanted);
  if (place) return place.edge;
  const section = sectionIn(typed, streets);
  if (section !== null) return section;
  const junction = geometry.junctions.find((j) => j.name.toLowerCase() === wanted || j.id.toLowerCase() === wanted);
  return junction ? atJunction(streets, junction.x_m, junction.y_m) : null;
}
