/** Street sections as lines: the way of a mission, the section under a click, and what a person typed. */

import type { CityPlace } from '../../api/mission-types';
import type { CityGeometry } from '../../api/types';
import { USE } from '../../map/geometry';
import { oppositeOf } from './direction';

export interface Streets {
  /** Of each section's street, "" where it has none. */
  names: string[];
  /** Row of each section's id. */
  row: Map<string, number>;
  ids: string[];
  /** x, y, x, y, … in city metres, of the section's widest-used lane. */
  line: (readonly number[])[];
  /** Whether cars may use it. */
  drivable: boolean[];
}

/** One line a section: of its first lane for cars, or else its first lane. */
export function buildStreets(geometry: CityGeometry): Streets {
  const ids = geometry.edges?.id ?? [];
  const line: (readonly number[])[] = ids.map(() => []);
  const drivable = ids.map(() => false);
  geometry.lanes.points.forEach((points, lane) => {
    const edge = geometry.lanes.edge[lane];
    const cars = (geometry.lanes.use[lane] & USE.motor) !== 0;
    if (edge < ids.length && points.length >= 4 && (line[edge].length === 0 || (cars && !drivable[edge]))) line[edge] = points;
    if (cars && edge < ids.length) drivable[edge] = true;
  });
  const names = ids.map((_, row) => geometry.edges?.name?.[row] ?? '');
  return { names, row: new Map(ids.map((id, row) => [id, row])), ids, line, drivable };
}

/** The sections one after the other as one line; unknown ones are left out. */
export function lineOf(streets: Streets, edges: readonly string[]): number[] {
  return edges.flatMap((id) => {
    const row = streets.row.get(id);
    return row === undefined ? [] : [...streets.line[row]];
  });
}

/** A line cut at a distance from its start: what lies before and what after. */
export function splitLine(line: readonly number[], atM: number): [number[], number[]] {
  const before: number[] = [];
  let gone = 0;
  for (let k = 0; k + 1 < line.length; k += 2) {
    const [x, y] = [line[k], line[k + 1]];
    if (k > 0) {
      const [px, py] = [line[k - 2], line[k - 1]];
      const length = Math.hypot(x - px, y - py);
      if (gone + length >= atM) {
        const share = length > 0 ? Math.max(0, atM - gone) / length : 0;
        const cut = [px + share * (x - px), py + share * (y - py)];
        return [[...before, ...cut], [...cut, ...line.slice(k)]];
      }
      gone += length;
    }
    before.push(x, y);
  }
  return [before, []];
}

/** Id of the drivable section nearest to a point and how far it is, within reachM; null where there is none. */
export function nearestStreet(streets: Streets, x: number, y: number, reachM: number): { id: string; awayM: number } | null {
  let best: { id: string; awayM: number } | null = null;
  streets.line.forEach((line, row) => {
    if (!streets.drivable[row]) return;
    for (let k = 0; k + 3 < line.length; k += 2) {
      const awayM = toSegment(x, y, line[k], line[k + 1], line[k + 2], line[k + 3]);
      if (awayM <= reachM && (!best || awayM < best.awayM)) best = { id: streets.ids[row], awayM };
    }
  });
  return best;
}

function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const square = dx * dx + dy * dy;
  const share = square > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0;
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
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

export const placeLabel = (place: CityPlace): string => place.name || place.id;

/** The section whose own id is typed, alone or as `nameOf` writes it: that one, and no other direction. */
export function sectionIn(typed: string, streets: Pick<Streets, 'row'>): string | null {
  const id = /\(([^()]+)\)\s*$/.exec(typed)?.[1] ?? '';
  return [typed.trim(), id].find((section) => streets.row.has(section)) ?? null;
}

/** Whether a text still says what was found for it: it means that section, or names a place where the street has this
 * direction, too. What a person has written is not written over. */
export function stillSays(typed: string, edge: string, geometry: CityGeometry, streets: Streets): boolean {
  const meant = resolvePlace(typed, geometry, streets);
  return meant === edge || (meant !== null && sectionIn(typed, streets) === null && oppositeOf(meant, geometry, streets) === edge);
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

/** How a section is called: by a place on it, else by its street with its id, else by its id. */
export function nameOf(edge: string, geometry: CityGeometry): string {
  const place = geometry.places.find((p) => p.edge === edge);
  if (place) return placeLabel(place);
  const streets = streetsOf(geometry);
  const street = streets.names[streets.row.get(edge) ?? -1];
  return street ? `${street} (${edge})` : edge;
}

const KIND_OF = { from: 'ambulance-station', to: 'hospital' } as const;
const MOST_SUGGESTED = 4;

/** Stations to start from, or hospitals to go to; those nearest to the other end first, where that is known. */
export function suggest(geometry: CityGeometry, field: 'from' | 'to', other: string | undefined): CityPlace[] {
  const places = geometry.places.filter((place) => place.kind === KIND_OF[field]);
  const point = other === undefined ? null : pointOn(streetsOf(geometry), other);
  const away = (place: CityPlace): number => (point ? Math.hypot(place.x_m - point[0], place.y_m - point[1]) : 0);
  return places.sort((a, b) => away(a) - away(b)).slice(0, MOST_SUGGESTED);
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

/** A point on a section (its middle), for a mark; null where it is not known. */
export function pointOn(streets: Streets, edge: string): [number, number] | null {
  const row = streets.row.get(edge);
  const line = row === undefined ? [] : streets.line[row];
  if (line.length < 4) return null;
  let length = 0;
  for (let k = 2; k + 1 < line.length; k += 2) length += Math.hypot(line[k] - line[k - 2], line[k + 1] - line[k - 1]);
  const [before] = splitLine(line, length / 2);
  return [before[before.length - 2], before[before.length - 1]];
}

let built: { of: CityGeometry; streets: Streets } | null = null;

/** Worked out once for the city that is shown. */
export function streetsOf(geometry: CityGeometry): Streets {
  if (built?.of !== geometry) built = { of: geometry, streets: buildStreets(geometry) };
  return built.streets;
}
