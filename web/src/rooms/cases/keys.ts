/** Shortcuts of one letter. They work while the room has the focus, or nothing has, and never while somebody writes
 * or a dialog is open. */

import { useLayoutEffect, useRef } from 'preact/hooks';
import { isAsking } from './ask';

export type Keys = Record<string, () => void>;

/** Where people write. */
export const WRITES = 'input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]';

function isFree(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (isAsking() || document.querySelector('dialog[open]')) return false;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.matches(WRITES)) return false;
  if (event.key === 'Enter' || event.key === ' ') return target === document.body;
  return target === document.body || target.closest('#panel') !== null;
}

const heard: { now: Keys }[] = [];

function hear(event: KeyboardEvent): void {
  if (!isFree(event)) return;
  const act = heard.map((one) => one.now[event.key]).find((one) => one !== undefined);
  if (!act) return;
  event.preventDefault();
  act();
}

/** What keys do while the component is there. last: asked only where no other part knows the key. */
export function useKeys(keys: Keys, last = false): void {
  const own = useRef({ now: keys }).current;
  own.now = keys;
  // at once, not after the picture: a key that is pressed as soon as something is seen is meant for it
  useLayoutEffect(() => {
    if (heard.length === 0) window.addEventListener('keydown', hear);
    heard[last ? 'push' : 'unshift'](own);
    return () => {
      heard.splice(heard.indexOf(own), 1);
      if (heard.length === 0) window.removeEventListener('keydown', hear);
    };
  }, []);
}

/** Give the focus to a list and have it take the key as if it had it before. */
export function handKeyTo(listId: string, key: string): void {
  const list = document.getElementById(listId);
  list?.focus({ preventScroll: true });
  list?.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
}
