/** The log-in: instead of the page where nobody was there yet, over it where a session has ended. */

import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ProblemError } from '../api/client';
import type { Session } from '../api/types';
import { text } from '../text';
import { Icon } from '../ui/icon';
import { PreferenceFields } from '../ui/preferences';
import { useModal } from '../ui/use-modal';
import './login.css';
import { keepPlace, logIn, useLogin } from './session';
import { loginText } from './text';

/** Shown alone, before anything of the city is asked for. */
export function LogInPage(): JSX.Element | null {
  const session = useLogin((s) => s.session);
  if (!session) return null;
  return (
    <main class="log-in-page" data-testid="log-in-page">
      <div class="log-in-card">
        <p class="log-in-mark">
          <Icon name="mark" /> {text.product}
        </p>
        <h1>{loginText.title}</h1>
        <LogInForm session={session} />
      </div>
      <div class="log-in-preferences">
        <PreferenceFields />
      </div>
    </main>
  );
}

/** Over the page as it stands; nothing below can be reached meanwhile. */
export function SessionEnded(): JSX.Element | null {
  const session = useLogin((s) => (s.ended ? s.session : null));
  return session ? <EndedDialog session={session} /> : null;
}

function EndedDialog({ session }: { session: Session }): JSX.Element {
  const dialog = useModal((element) => element.querySelector('input')?.focus());
  return (
    <dialog ref={dialog} aria-labelledby="ended-title" aria-describedby="ended-hint" data-testid="session-ended" onCancel={(event) => event.preventDefault()}>
      <h2 id="ended-title">{loginText.ended}</h2>
      <p id="ended-hint">{loginText.endedHint}</p>
      <LogInForm session={session} />
    </dialog>
  );
}

function LogInForm({ session }: { session: Session }): JSX.Element {
  const takes = (way: Session['ways'][number]): boolean => session.ways.includes(way);
  const [byToken, setByToken] = useState(!takes('password') && takes('token'));
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState(refusedByProvider);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const given = new FormData(form.current ?? undefined);
    const value = (name: string): string => String(given.get(name) ?? '');
    setBusy(true);
    setRefusal('');
    try {
      await logIn(byToken ? { token: value('token').trim() } : { name: value('name'), password: value('password') });
    } catch (error) {
      setRefusal(inWords(error, byToken));
      const field = form.current?.querySelector<HTMLInputElement>('input[type=password]');
      if (field) field.value = '';
      field?.focus();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form ref={form} class="log-in-form" onSubmit={(event) => void submit(event)}>
      {refusal && (
        <p class="error-text" role="alert" data-testid="log-in-refused">
          {refusal}
        </p>
      )}
      {takes('provider') && (
        <a class="button primary wide" href="/v1/session/provider" data-testid="log-in-provider" onClick={keepPlace}>
          {loginText.provider(session.provider)}
        </a>
      )}
      {takes('provider') && (takes('password') || takes('token')) && <p class="log-in-or">{loginText.or}</p>}
      {byToken ? <Field name="token" label={loginText.token} type="password" complete="off" hint={loginText.tokenHint} /> : takes('password') && <NameAndPassword />}
      {(byToken || takes('password')) && (
        <button type="submit" class={`button wide ${takes('provider') ? '' : 'primary'}`} disabled={busy} data-testid="log-in">
          {busy ? loginText.entering : loginText.enter}
        </button>
      )}
      {takes('token') && takes('password') && (
        <button type="button" class="link" onClick={() => setByToken(!byToken)}>
          {byToken ? loginText.useName : loginText.useToken}
        </button>
      )}
      {session.ways.length === 0 && <p class="muted">{loginText.noWay}</p>}
    </form>
  );
}

function NameAndPassword(): JSX.Element {
  return (
    <>
      <Field name="name" label={loginText.name} type="text" complete="username" />
      <Field name="password" label={loginText.password} type="password" complete="current-password" />
    </>
  );
}

interface FieldProps {
  name: string;
  label: string;
  type: 'text' | 'password';
  complete: string;
  hint?: string;
}

export function Field({ name, label, type, complete, hint }: FieldProps): JSX.Element {
  const rest = { name, autocomplete: complete, required: true, autocapitalize: 'none', spellcheck: false, maxLength: 200, 'data-testid': `field-${name}` } as const;
  return (
    <label class="stacked">
      <span class="caption">{label}</span>
      {type === 'text' ? <input type="text" {...rest} /> : <input type="password" {...rest} />}
      {hint && <span class="muted small">{hint}</span>}
    </label>
  );
}

function inWords(error: unknown, byToken: boolean): string {
  if (!(error instanceof ProblemError)) return String(error);
  if (error.status === 401) return byToken ? loginText.wrongToken : loginText.wrong;
  return error.status === 429 ? loginText.tooMany : error.why;
}

/** Why the identity provider's answer was refused, told in the address by one word. */
function refusedByProvider(): string {
  const why = new URLSearchParams(location.search).get('refused');
  if (why === null) return '';
  history.replaceState(null, '', `${location.pathname}${location.hash}`);
  return loginText.refused[why] ?? loginText.refused['provider'] ?? '';
}
