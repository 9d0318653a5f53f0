/** Keys of the room. They act wherever the focus is, but not in fields, dialogs or with Ctrl, Alt or Meta. */

import { go, HOME } from '../../state/route';
import type { Player } from './player';
import { getThen, SPEEDS } from './store';

const FIELDS = 'input, textarea, select, [contenteditable], dialog, [role="dialog"]';
const JUMP_S = 5;
const FAR_S = 60;

/** Returns how to stop listening. */
export function listenToKeys(player: Player): () => void {
  const seek = (timeS: number): void => {
    player.seek(timeS);
    player.address();
  };
  const act = (event: KeyboardEvent): boolean => {
    const { atS, fromS, toS } = getThen();
    const far = event.shiftKey ? FAR_S : JUMP_S;
    switch (event.key) {
      case ' ':
        player.toggle();
        return true;
      case 'ArrowLeft':
        seek(atS - far);
        return true;
      case 'ArrowRight':
        seek(atS + far);
        return true;
      case ',':
        player.step(-1);
        return true;
      case '.':
        player.step(1);
        return true;
      case 'PageUp':
        player.toMark(-1);
        return true;
      case 'PageDown':
        player.toMark(1);
        return true;
      case 'Home':
        seek(fromS);
        return true;
      case 'End':
        seek(toS);
        return true;
      case 'Escape':
        go(HOME);
        return true;
      default: {
        const speed = Number(event.key) - 1;
        if (!(speed in SPEEDS)) return false;
        player.setSpeed(speed);
        return true;
      }
    }
  };
  const listen = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest(FIELDS)) return;
    // a button that the keyboard went to keeps its own key; one that was clicked has done its work
    const button = target?.closest('button, a, summary');
    if (event.key === ' ' && button && button !== clicked) return;
    if (act(event)) {
      event.preventDefault();
      event.stopPropagation(); // the map moves by the same arrows
    }
  };
  let clicked: Element | null = null;
  const click = (event: MouseEvent): void => {
    // detail 0: pressed by a key
    clicked = event.detail > 0 && event.target instanceof Element ? event.target.closest('button, a, summary') : null;
  };
  const focus = (event: FocusEvent): void => {
    if (event.target !== clicked) clicked = null;
  };
  document.addEventListener('click', click, true);
  document.addEventListener('focusin', focus);
  document.addEventListener('keydown', listen, true);
  return () => {
    document.removeEventListener('click', click, true);
    document.removeEventListener('focusin', focus);
    document.removeEventListener('keydown', listen, true);
  };
}
