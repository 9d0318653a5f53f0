/** Adding a user, giving a password, and being sure about removing. */

import type { JSX } from 'preact';
import { FormDialog } from '../../login/form-dialog';
import { Field } from '../../login/log-in';
import { loginText } from '../../login/text';
import { ROLES, type Role } from '../../state/user';
import { addUser, setPassword } from './actions';
import { peopleText as words } from './text';

export function AddDialog({ onClose }: { onClose: () => void }): JSX.Element {
  return (
    <FormDialog
      name="people"
      cancel={words.cancel}
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
    </FormDialog>
  );
}

export function PasswordDialog({ name, onClose }: { name: string; onClose: () => void }): JSX.Element {
  return (
    <FormDialog name="people" cancel={words.cancel} title={words.passwordNamed(name)} confirm={words.save} onClose={onClose} onConfirm={(value) => setPassword(name, value('password'))}>
      <Field name="password" label={words.password} type="password" complete="new-password" hint={words.passwordHint} />
    </FormDialog>
  );
}

interface RemoveDialogProps {
  name: string;
  onClose: () => void;
  onRemove: () => void;
}

export function RemoveDialog({ name, onClose, onRemove }: RemoveDialogProps): JSX.Element {
  return (
    <FormDialog name="people" title={words.confirmRemove(name)} confirm={words.remove} cancel={words.keep} onClose={onClose} onConfirm={onRemove}>
      <p>{words.confirmRemoveHint}</p>
    </FormDialog>
  );
}
