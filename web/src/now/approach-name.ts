/** Approaches as people call them: the street, and whence it comes; an edge's id only where neither is known. */

import type { CityGeometry } from '../api/types';
import { compassOf } from '../map/compass';
import { words } from './text';

/** Whence vehicles on an edge come: eight directions from north on, clockwise; null where the network does not tell. */
export function sideOf(edge: string, geometry: Pick<CityGeometry, 'lanes' | 'edges'> | null): number | null {
  const row = geometry?.edges?.id.indexOf(edge) ?? -1;
  const lane = row < 0 ? -1 : (geometry?.lanes.edge.indexOf(row) ?? -1);
  const points = lane < 0 ? undefined : geometry?.lanes.points[lane];
  return points ? compassOf(points) : null;
}

export function nameApproach(edge: string, street: string, geometry: Pick<CityGeometry, 'lanes' | 'edges'> | null): string {
  const side = sideOf(edge, geometry);
  const named = street && street !== edge ? street : '';
  if (side === null) return named || edge;
  return words.worst.approach(words.worst.sides[side], named);
}
