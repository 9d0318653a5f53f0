/** Says that the server has a newer page than this one. It stays until somebody reloads. */

import type { JSX } from 'preact';
import { useRenewed } from '../state/renewal';
import { text } from '../text';
import './renewed.css';

export function Renewed(): JSX.Element | null {
  if (!useRenewed()) return null;
  return (
    <div class="renewed" role="status" data-testid="renewed">
      <span>
        <b>{text.renewed.title}</b> {text.renewed.explain}
      </span>
      <button type="button" class="button primary tight" data-testid="renewed-reload" onClick={() => location.reload()}>
        {text.renewed.reload}
      </button>
    </div>
  );
}
