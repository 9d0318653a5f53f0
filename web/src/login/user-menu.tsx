/** In the bar: who is logged in, and what they can do about that. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ProblemError } from '../api/client';
import { complain } from '../state/actions';
import { toast, useStore } from '../state/store';
import { text } from '../text';
import { Icon } from '../ui/icon';
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
        {session.expires_at && <p class="muted small">{words.until(new Date(session.expires_at).toLocaleTimeString(text.locale, { hour: '2-digit', minute: '2-digit' }))}</p>}
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
    const value = (field: string): string => String(given.get(field) ?? '');
    if (value('fresh') !== value('again')) {
      setRefusal(words.different);
      return;
    }
    try {
      await changePassword(value('current'), value('fresh'));
      toast('note', words.done);
      onClose();
    } catch (error) {
      setRefusal(error instanceof ProblemError ? error.detail || error.title : String(error));
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="password-title" data-testid="password-dialog" onCancel={onClose}>
      <form class="log-in-form" onSubmit={(event) => void submit(event)}>
        <h2 id="password-title">{words.title}</h2>
        <input type="text" name="username" autocomplete="username" value={name} hidden readOnly />
        {refusal && (
          <p class="error-text" role="alert">
            {refusal}
          </p>
        )}
        <Field name="current" label={words.current} type="password" complete="current-password" />
        <Field name="fresh" label={words.fresh} type="password" complete="new-password" hint={words.hint} />
        <Field name="again" label={words.again} type="password" complete="new-password" />
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" class="button primary" data-testid="password-save">
            {words.save}
          </button>
        </div>
      </form>
    </dialog>
  );
}
