/** How much more a field takes, once it is nearly full: what is pasted beyond that is cut off. */

import type { JSX } from 'preact';
import { formatWhole } from '../format';
import { text } from '../text';

const NEARLY = 0.8;

export function RoomLeft({ value, most }: { value: string; most: number }): JSX.Element | null {
  if (value.length < most * NEARLY) return null;
  const full = value.length >= most;
  return (
    <span class={`small ${full ? 'error-text' : 'muted'}`} role="status" data-testid="room-left">
      {(full ? text.fieldFull : text.fieldRoom)(formatWhole(value.length), formatWhole(most))}
    </span>
  );
}
