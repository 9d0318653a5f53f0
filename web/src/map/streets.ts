/** Street sections as lines: a way over several, the section under a click, the middle of one. */

import type { CityGeometry } from '../api/types';
import { USE } from './geometry';

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
