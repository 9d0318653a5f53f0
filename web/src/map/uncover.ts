/** On a phone the panel lies over the map: while somebody is to click on the map it makes room, and what is wanted is
 * said above the map. The form keeps what was filled in. */

import { toast } from '../state/store';

const NARROW = '(max-width: 899px)';

export function uncoverMap(wanted: string | null): void {
  document.body.classList.toggle('map-wanted', wanted !== null);
  if (wanted !== null && window.matchMedia(NARROW).matches) toast('note', wanted);
}
