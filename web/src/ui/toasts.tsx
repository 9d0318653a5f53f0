/** Messages of the API and of the page, shown for a while, dismissed by hand. */

import type { JSX } from 'preact';
import { dismissToast, useStore } from '../state/store';
import { text } from '../text';
import { Icon } from './icon';

export function Toasts(): JSX.Element {
  const toasts = useStore((s) => s.toasts);
  return (
    <section class="toasts" aria-label={text.toast.label} aria-live="polite">
      {toasts.map((entry) => (
        <div key={entry.id} class={`toast ${entry.kind}`} role={entry.kind === 'error' ? 'alert' : 'status'} data-testid="toast">
          <span>{entry.message}</span>
          <button type="button" class="icon" aria-label={text.toast.dismiss} onClick={() => dismissToast(entry.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </section>
  );
}
