/** Lists that keep still while somebody points at them: what is aimed at must be what is hit. */

import { useRef, useState } from 'preact/hooks';

export interface Hold {
  held: boolean;
  /** For the element that holds its lists while the pointer is inside, or the focus of the keyboard. */
  keeps: {
    onPointerEnter: () => void;
    onPointerLeave: () => void;
    onFocusCapture: (event: FocusEvent) => void;
    onBlurCapture: () => void;
  };
}

export function useHold(): Hold {
  const [inside, setInside] = useState(false);
  const [focused, setFocused] = useState(false);
  return {
    held: inside || focused,
    keeps: {
      onPointerEnter: () => setInside(true),
      onPointerLeave: () => setInside(false),
      // a click leaves the focus behind, and who types wants the list to follow: neither holds it
      onFocusCapture: ({ target }) => setFocused(target instanceof Element && target.matches('button:focus-visible, a:focus-visible')),
      onBlurCapture: () => setFocused(false),
    },
  };
}

/** What is live, or, while held, what it was as the hold began. */
export function useHeld<T>(live: T, held: boolean): T {
  const kept = useRef(live);
  if (!held) kept.current = live;
  return kept.current;
}

/** The entries in the order that `order` (keys) had; entries that it lacks come last. Keys without entry are left out. */
export function inOrder<T>(entries: readonly T[], order: readonly (string | number)[], key: (entry: T) => string | number): T[] {
  const place = new Map(order.map((one, k) => [one, k]));
  const at = (entry: T): number => place.get(key(entry)) ?? order.length;
  return [...entries].sort((a, b) => at(a) - at(b));
}
