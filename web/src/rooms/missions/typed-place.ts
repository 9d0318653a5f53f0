/** The fields for the ends of a mission: what they offer, and whether what was typed still holds. */

import type { CityPlace } from '../../api/mission-types';
import type { CityGeometry } from '../../api/types';
import { resolvePlace, sectionIn } from '../../map/street-names';
import { pointOn, streetsOf, type Streets } from '../../map/streets';
import { oppositeOf } from './direction';

/** Whether a text still says what was found for it: it means that section, or names a place where the street has this
 * direction, too. What a person has written is not written over. */
export function stillSays(typed: string, edge: string, geometry: CityGeometry, streets: Streets): boolean {
  const meant = resolvePlace(typed, geometry, streets);
  return meant === edge || (meant !== null && sectionIn(typed, streets) === null && oppositeOf(meant, geometry, streets) === edge);
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
