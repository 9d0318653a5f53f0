/** For a row of a list: shows on the map which junction it speaks of. */

import { nowStore } from './store';

interface Points {
  onPointerEnter: () => void;
  onPointerLeave: () => void;
  onFocusCapture: () => void;
  onBlurCapture: () => void;
}

export function pointsAt(junction: string): Points {
  const point = (): void => nowStore.set({ pointed: junction });
  const leave = (): void => nowStore.set({ pointed: '' });
  return { onPointerEnter: point, onPointerLeave: leave, onFocusCapture: point, onBlurCapture: leave };
}
