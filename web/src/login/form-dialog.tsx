/** A few fields before everything else: sent together, refused in words, closed when they were taken. */

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ProblemError } from '../api/client';
import { useModal } from '../ui/use-modal';

interface FormDialogProps {
  /** Of the element: `data-testid="<name>-dialog"`; the button that sends is `<name>-confirm`. */
  name: string;
  title: string;
  confirm: string;
  cancel: string;
  /** Raises ProblemError, which the dialog shows; closes when it does not. */
  onConfirm: (value: (field: string) => string) => Promise<void> | void;
  onClose: () => void;
  children: ComponentChildren;
}

export function FormDialog({ name, title, confirm, cancel, onConfirm, onClose, children }: FormDialogProps): JSX.Element {
  const dialog = useModal();
  const [refusal, setRefusal] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await onConfirm((field) => String(given.get(field) ?? ''));
      onClose();
    } catch (error) {
      setRefusal(error instanceof ProblemError ? error.why : String(error));
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={`${name}-dialog-title`} data-testid={`${name}-dialog`} onCancel={onClose}>
      <form class="log-in-form" onSubmit={(event) => void submit(event)}>
        <h2 id={`${name}-dialog-title`}>{title}</h2>
        {refusal && (
          <p class="error-text" role="alert">
            {refusal}
          </p>
        )}
        {children}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {cancel}
          </button>
          <button type="submit" class="button primary" data-testid={`${name}-confirm`}>
            {confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
