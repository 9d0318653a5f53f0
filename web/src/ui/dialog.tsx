/** A question before something that everybody in the city will feel, with the reason for the ledger: the
 * operator's own words, or none. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { text } from '../text';
import { useModal } from './use-modal';

interface ReasonDialogProps {
  title: string;
  explain: string;
  /** Words of the two buttons, where "Cancel" and "Confirm" could be mistaken. */
  keep?: string;
  confirm?: string;
  /** What it asks of is over by now: nothing is left to confirm. */
  over?: boolean;
  /** Nothing is done without a reason. */
  needed?: boolean;
  onConfirm(reason: string): void;
  onCancel(): void;
}

export function ReasonDialog({ title, explain, keep, confirm, over, needed, onConfirm, onCancel }: ReasonDialogProps): JSX.Element {
  const dialog = useModal((element) => element.querySelector('input')?.focus());
  const [reason, setReason] = useState('');
  const [sent, setSent] = useState(false); // a key pressed twice asks once
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" aria-describedby="dialog-explain" data-testid="reason-dialog" onCancel={onCancel}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (over) onCancel();
          else if (!sent) {
            setSent(true);
            onConfirm(reason.trim());
          }
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        <p id="dialog-explain">{explain}</p>
        {/* stays in its place where nothing is left to confirm, so that no button moves under the pointer */}
        <label class="stacked" style={{ visibility: over ? 'hidden' : 'visible' }}>
          <span class="caption">{text.dialog.reason}</span>
          <input
            type="text"
            maxLength={200}
            {...(needed && !over ? { required: true, pattern: '.*\\S.*\\S.*\\S.*' } : { placeholder: text.dialog.optional })}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <div class="actions">
          {!over && (
            <button type="button" class="button" onClick={onCancel} data-testid="dialog-cancel">
              {keep ?? text.dialog.cancel}
            </button>
          )}
          <button type="submit" class="button primary" disabled={sent} data-testid="dialog-confirm">
            {over ? text.dialog.close : (confirm ?? text.dialog.confirm)}
          </button>
        </div>
      </form>
    </dialog>
  );
}
