/** What is asked of the map before it is made is done when it is there: of several wishes the last one counts. */

import type { CityMap } from '../map/city-map';
import { getState, subscribe } from './store';

let forget: (() => void) | null = null;

/** Do it now or once the map is made, unless another junction was chosen meanwhile: the map goes there itself. */
export function withMap(act: (map: CityMap) => void): void {
  forget?.();
  forget = null;
  const { map, selected } = getState();
  if (map) return act(map);
  forget = subscribe(() => {
    const now = getState();
    if (!now.map) return;
    forget?.();
    forget = null;
    if (now.selected === selected) act(now.map);
  });
}
