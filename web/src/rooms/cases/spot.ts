/** The place that a report is being written about: marked on the map, chosen by a click on it. */

import { redrawLayers } from '../../map/layers';
import { uncoverMap } from '../../map/uncover';
import { makeStore } from '../../state/make-store';
import { getState } from '../../state/store';
import type { Spot } from './places';
import { casesText } from './text';

const store = makeStore<{ spot: Spot | null; picking: boolean }>({ spot: null, picking: false });

export const useSpot = store.use;
export const getSpot = (): Spot | null => store.get().spot;
export const isPicking = (): boolean => store.get().picking;

export function markSpot(spot: Spot | null): void {
  store.set({ spot });
  redrawLayers();
}

/** The next click on the map is taken for the place; Esc ends it, or another click on the button. */
export function pickSpot(take: (x: number, y: number) => Spot | null): void {
  const { map } = getState();
  if (!map) return;
  const end = (): void => {
    map.pickPoint(null);
    uncoverMap(null);
    window.removeEventListener('keydown', escape, true);
    // the click that ends it must not be taken for one on a mark of the map
    window.setTimeout(() => store.set({ picking: false }));
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.stopPropagation(); // it ends the picking, not the form
    end();
  };
  if (store.get().picking) return end();
  store.set({ picking: true });
  window.addEventListener('keydown', escape, true);
  uncoverMap(casesText.report.picking);
  map.pickPoint((x, y) => {
    markSpot(take(x, y));
    end();
  });
}
