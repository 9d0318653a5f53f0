/** Who is logged in, for how long, and what happens when that ends while the page is open. */

import { api, ProblemError, whenLoggedOut } from '../api/client';
import type { LogInOrder, Session } from '../api/types';
import { Backoff } from '../live/backoff';
import { makeStore } from '../state/make-store';
import { getState, setState, toast } from '../state/store';
import { loginText } from './text';

interface LoginState {
  /** What the server last said; null: it has not yet. */
  session: Session | null;
  /** Somebody was logged in here, and is no more. The page stays as it is behind the question. */
  ended: boolean;
}

const store = makeStore<LoginState>({ session: null, ended: false });
export const useLogin = store.use;

const PLACE_KEY = 'civicbrain-place';
const ACTIVITY_EVERY_MS = 60_000;
const WATCH_MS = 30_000;
const SOON_MS = 5 * 60_000;
let waiting: (() => void)[] = [];

/** Nobody is there to ask for: the page's own questions wait. */
export const isLoggedIn = (): boolean => getState().user !== null && !store.get().ended;

/** Resolves once somebody is logged in. */
export const loggedIn = (): Promise<void> => (isLoggedIn() ? Promise.resolve() : new Promise((done) => waiting.push(done)));

/** Ask until the server has said who is logged in. */
export async function loadSession(): Promise<void> {
  const backoff = new Backoff(500, 5000);
  for (;;) {
    try {
      take(await api.session());
      setState({ loadError: '' });
      return;
    } catch (error) {
      setState({ loadError: error instanceof Error ? error.message : String(error) });
      await new Promise((done) => window.setTimeout(done, backoff.next()));
    }
  }
}

/** Raises ProblemError where the server refuses. */
export async function logIn(order: LogInOrder): Promise<void> {
  const session = await api.logIn(order);
  if (store.get().ended && session.name !== getState().user?.name) {
    location.reload(); // somebody else: nothing of who was here before stays
    return;
  }
  take(session);
}

export async function logOut(): Promise<void> {
  const { provider_address } = await api.logOut();
  if (provider_address) location.assign(provider_address);
  else location.reload();
}

export async function changePassword(current: string, fresh: string): Promise<void> {
  take(await api.changePassword(current, fresh));
}

/** The way to the provider leads off the page: the place is kept for the way back. */
export const keepPlace = (): void => sessionStorage.setItem(PLACE_KEY, location.hash);

function take(session: Session): void {
  const { name, role, actor, demo } = session;
  if (role !== null) {
    setState({ demoLogin: demo, user: { name, role, actor } });
    store.set({ session, ended: false });
    const called = waiting;
    waiting = [];
    for (const done of called) done();
  } else {
    store.set({ session, ended: getState().user !== null });
  }
}

let asking = false;

/** Some question was answered with 401: the session is over, or was never there. */
async function lookAgain(): Promise<void> {
  if (asking || store.get().ended) return;
  asking = true;
  try {
    take(await api.session());
  } catch {
    // the server is away: that is shown elsewhere, and asked again with the next refusal
  } finally {
    asking = false;
  }
}

/** Reading does not keep a session: what the person does is told, once a minute at most. */
function tellActivity(): void {
  let toldMs = Date.now();
  const note = (): void => {
    if (!isLoggedIn() || !store.get().session?.idle_ends_at || Date.now() - toldMs < ACTIVITY_EVERY_MS) return;
    toldMs = Date.now();
    api.activity().then(take, (error: unknown) => {
      if (!(error instanceof ProblemError)) throw error; // refusals are dealt with where they arrive
    });
  };
  for (const event of ['pointermove', 'keydown', 'wheel'] as const) window.addEventListener(event, note, { passive: true });
}

/** Say in good time that somebody will have to log in again, whatever they do. */
function watchEnd(): void {
  let said = '';
  window.setInterval(() => {
    const end = store.get().session?.expires_at;
    const left = end ? Date.parse(end) - Date.now() : Number.POSITIVE_INFINITY;
    if (!end || !isLoggedIn() || left > SOON_MS || said === end) return;
    said = end;
    toast('note', loginText.soon(Math.max(1, Math.round(left / 60_000))));
  }, WATCH_MS);
}

export function startLogin(): void {
  whenLoggedOut(() => void lookAgain());
  const place = sessionStorage.getItem(PLACE_KEY);
  if (place) {
    sessionStorage.removeItem(PLACE_KEY);
    if (!location.hash) history.replaceState(null, '', `${location.pathname}${location.search}${place}`);
  }
  tellActivity();
  watchEnd();
}
