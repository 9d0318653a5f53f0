/** The list of shortcuts, under "?". */

import type { JSX } from 'preact';
import { makeStore } from '../../state/make-store';
import { useModal } from '../../ui/use-modal';
import { casesText } from './text';

type Does = keyof typeof casesText.shortcuts.does;

/** Keys of each; none: a heading. */
const KEYS: readonly (readonly [Does, readonly string[]])[] = [
  ['rows', ['j', 'k', '↓', '↑']],
  ['open', ['Enter']],
  ['tab', ['Tab']],
  ['acknowledge', ['a']],
  ['shelve', ['s']],
  ['unshelve', ['u']],
  ['report', ['n']],
  ['back', ['Esc']],
  ['inCase', []],
  ['done', ['Space', 'x']],
  ['skip', ['o']],
  ['onward', ['m']],
  ['close_case', ['c']],
  ['note', ['w']],
  ['assign', ['g']],
  ['handOver', ['h']],
  ['evidence', ['e']],
  ['map', ['f']],
];

const store = makeStore({ open: false });

export const toggleShortcuts = (): void => store.set({ open: !store.get().open });

export function Shortcuts(): JSX.Element | null {
  return store.use((s) => s.open) ? <Sheet /> : null;
}

function Sheet(): JSX.Element {
  const dialog = useModal();
  const close = (): void => store.set({ open: false });
  return (
    <dialog
      ref={dialog}
      class="shortcuts"
      aria-labelledby="shortcuts-title"
      data-testid="shortcuts-sheet"
      onCancel={close}
      onKeyDown={(event) => {
        if (event.key === '?') close();
      }}
    >
      <h2 id="shortcuts-title">{casesText.shortcuts.title}</h2>
      <dl>
        {KEYS.map(([does, keys]) => (
          <div key={does} class={keys.length ? '' : 'part'}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{casesText.shortcuts.does[does]}</dd>
          </div>
        ))}
      </dl>
      <div class="actions">
        <button type="button" class="button primary" onClick={close}>
          {casesText.shortcuts.close}
        </button>
      </div>
    </dialog>
  );
}
