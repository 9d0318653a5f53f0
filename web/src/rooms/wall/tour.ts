/** The order of the tour: the whole city, then each of the worst places, again and again. */

/** How long each place is shown, seconds. */
export const STAY_S = 14;

/** Where the tour stands after so many stops: -1 the whole city, else the rank (from 0) of a place. */
export function stopOf(stop: number, places: number): number {
  return places <= 0 ? -1 : (stop % (places + 1)) - 1;
}
