/** Adding a user, giving a password, and being sure about removing. */

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ProblemError } from '../../api/client';
import { Field } from '../../login/log-in';
import { loginText } from '../../login/text';
import { ROLES, type Role } from '../../state/user';
import { addUser, setPassword } from './actions';
import { peopleText as words } from './text';

interface DialogProps {
  title: string;
  confirm: string;
  cancel?: string;
  /** Raises ProblemError, which the dialog shows; closes when it does not. */
  onConfirm: (value: (name: string) => string) => Promise<void> | void;
  onClose: () => void;
  children: ComponentChildren;
}

function Dialog({ title, confirm, cancel, onConfirm, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [refusal, setRefusal] = useState('');
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await onConfirm((name) => String(given.get(name) ?? ''));
      onClose();
    } catch (error) {
      setRefusal(error instanceof ProblemError ? error.detail || error.title : String(error));
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="people-dialog-title" data-testid="people-dialog" onCancel={onClose}>
      <form class="log-in-form" onSubmit={(event) => void submit(event)}>
        <h2 id="people-dialog-title">{title}</h2>
        {refusal && (
          <p class="error-text" role="alert">
            {refusal}
          </p>
        )}
        {children}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {cancel ?? words.cancel}
          </button>
          <button type="submit" class="button primary" data-testid="people-confirm">
            {confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}

export function AddDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <Dialog
      title={words.addTitle}
      confirm={words.save}
      onClose={onClose}
      onConfirm={(value) => addUser(value('name').trim().toLowerCase(), value('role') as Role, value('password'))}
    >
      <Field name="name" label={loginText.name} type="text" complete="off" hint={words.nameHint} />
      <fieldset class="role-choice">
        <legend class="caption">{words.columns.role}</legend>
        {ROLES.map((role) => (
          <label key={role}>
            <input type="radio" name="role" value={role} defaultChecked={role === 'operator'} />
            <span>
              {loginText.role[role]} <span class="muted small">{words.roleHint[role]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Field name="password" label={loginText.password} type="password" complete="new-password" hint={words.passwordHint} />
    </Dialog>
  );
}

export function PasswordDialog({ name, onClose }: { name: string; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={words.passwordNamed(name)} confirm={words.save} onClose={onClose} onConfirm={(value) => setPassword(name, value('password'))}>
      <Field name="password" label={words.password} type="password" complete="new-password" hint={words.passwordHint} />
    </Dialog>
  );
}

interface RemoveDialogProps {
  name: string;
  onClose: () => void;
  onRemove: () => void;
}

export function RemoveDialog({ name, onClose, onRemove }: RemoveDialogProps): JSX.Element {
  return (
    <Dialog title={words.confirmRemove(name)} confirm={words.remove} cancel={words.keep} onClose={onClose} onConfirm={onRemove}>
      <p>{words.confirmRemoveHint}</p>
    </Dialog>
  );
}
