/** In the bar: who is logged in, and what they can do about that. */

import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ProblemError } from '../api/client';
import { formatRealTime } from '../format';
import { complain } from '../state/actions';
import { toast, useStore } from '../state/store';
import { text } from '../text';
import { Icon } from '../ui/icon';
import { FormDialog } from './form-dialog';
import { Field } from './log-in';
import { changePassword, logOut, useLogin } from './session';
import { loginText } from './text';

export function UserMenu(): JSX.Element | null {
  const user = useStore((s) => s.user);
  const session = useLogin((s) => s.session);
  const [changing, setChanging] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  if (!user || !session) return null;
  const words = loginText.menu;
  const name = session.way === 'token' ? words.token : user.name;
  return (
    <>
      {session.demo && (
        <span class="pill quiet" title={text.login.hint} data-testid="demo-login">
          {text.login.demo}
        </span>
      )}
      <button type="button" class="user-button" aria-label={words.label(name)} title={words.label(name)} popovertarget="user-menu" data-testid="user-menu">
        <Icon name="user" />
        {!session.demo && <span>{name}</span>}
      </button>
      <div id="user-menu" ref={menu} class="preferences user-menu" popover="auto" role="group" aria-label={words.label(name)}>
        <p class="user-name" data-testid="user-name">
          {name}
        </p>
        <p class="muted" data-testid="user-role">
          {loginText.role[user.role]}
        </p>
        {session.demo && <p class="muted small">{words.demo}</p>}
        {session.expires_at && <p class="muted small">{words.until(formatRealTime(session.expires_at))}</p>}
        {session.way === 'password' && (
          <button
            type="button"
            class="button wide"
            data-testid="change-password"
            onClick={() => {
              menu.current?.hidePopover();
              setChanging(true);
            }}
          >
            {words.changePassword}
          </button>
        )}
        {!session.demo && (
          <button type="button" class="button wide" data-testid="log-out" onClick={() => void logOut().catch(complain)}>
            {words.logOut}
          </button>
        )}
      </div>
      {changing && <PasswordDialog name={user.name} onClose={() => setChanging(false)} />}
    </>
  );
}

function PasswordDialog({ name, onClose }: { name: string; onClose: () => void }): JSX.Element {
  const words = loginText.change;
  const change = async (value: (field: string) => string): Promise<void> => {
    if (value('fresh') !== value('again')) throw new ProblemError(0, words.different, '');
    await changePassword(value('current'), value('fresh'));
    toast('note', words.done);
  };
  return (
    <FormDialog name="password" title={words.title} confirm={words.save} cancel={words.cancel} onConfirm={change} onClose={onClose}>
      <input type="text" name="username" autocomplete="username" value={name} hidden readOnly />
      <Field name="current" label={words.current} type="password" complete="current-password" />
      <Field name="fresh" label={words.fresh} type="password" complete="new-password" hint={words.hint} />
      <Field name="again" label={words.again} type="password" complete="new-password" />
    </FormDialog>
  );
}
