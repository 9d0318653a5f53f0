/** Messages of the API and of the page: at one place, spoken to those who listen, dismissed by hand or after a while. */

import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { dismissToast, useStore, type Toast } from '../state/store';
import { text } from '../text';
import { Icon } from './icon';

export interface Box {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

const APART_PX = 8;

/** How far a box must move up so as not to cover what was just pressed; 0 where it does not. */
export function upBy(box: Box, pressed: Box | null): number {
  if (!pressed || box.right <= pressed.left || box.left >= pressed.right || box.bottom <= pressed.top || box.top >= pressed.bottom) return 0;
  return box.bottom - (pressed.top - APART_PX);
}

/** What somebody pressed last, while it is on the page. */
let pressed: Element | null = null;
if (typeof window !== 'undefined') {
  const press = ({ target }: Event): void => {
    pressed = target instanceof Element ? target.closest('button, a, input, select, [role="option"]') : null;
  };
  window.addEventListener('pointerdown', press, true);
  window.addEventListener('keydown', press, true);
}

export function Toasts(): JSX.Element {
  const toasts = useStore((s) => s.toasts);
  const place = useRef<HTMLElement>(null);
  const [upPx, setUp] = useState(0);
  useLayoutEffect(() => {
    const box = place.current?.getBoundingClientRect();
    if (!box || toasts.length === 0) return setUp(0);
    const home = { top: box.top + upPx, bottom: box.bottom + upPx, left: box.left, right: box.right };
    setUp(upBy(home, pressed?.isConnected ? pressed.getBoundingClientRect() : null));
  }, [toasts]);
  // both places stand from the start: what is spoken is what comes into them
  return (
    <section ref={place} class="toasts" style={{ marginBottom: `${upPx}px` }} aria-label={text.toast.label}>
      <div role="status">{toasts.filter((one) => one.kind === 'note').map(show)}</div>
      <div role="alert">{toasts.filter((one) => one.kind === 'error').map(show)}</div>
    </section>
  );
}

const show = (entry: Toast): JSX.Element => (
  <div key={entry.id} class={`toast ${entry.kind}`} data-testid="toast">
    <span>{entry.message}</span>
    <button type="button" class="icon" aria-label={text.toast.dismiss} onClick={() => dismissToast(entry.id)}>
      <Icon name="close" />
    </button>
  </div>
);
