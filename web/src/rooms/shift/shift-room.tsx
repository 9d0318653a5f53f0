/** A shift's two pages: the note to the next one, and the week in figures. `#/shift`, `#/shift/week?week=2026-W47`. */

import type { JSX } from 'preact';
import { go, useRoute } from '../../state/route';
import { HandoverNote } from './handover-note';
import { shiftText } from './text';
import { WeekFigures } from './week-figures';
import '../cases/cases.css';
import './shift.css';

const TABS = [
  ['', shiftText.tabs.note],
  ['week', shiftText.tabs.week],
] as const;

export function ShiftRoom(): JSX.Element {
  const item = useRoute((route) => route.item);
  const here = item === 'week' ? 'week' : '';
  return (
    <div class="shift-room">
      <nav class="segments tabs" aria-label={shiftText.tabs.note}>
        {TABS.map(([name, label]) => (
          <button key={name} type="button" class={name === here ? 'active' : ''} aria-current={name === here ? 'page' : undefined} data-testid={`tab-${name || 'note'}`} onClick={() => go('shift', name)}>
            {label}
          </button>
        ))}
      </nav>
      {here === 'week' ? <WeekFigures /> : <HandoverNote />}
    </div>
  );
}
