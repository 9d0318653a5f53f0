/** What an administrator can do here. Each asks the API, then what is shown is fetched anew. */

import { request } from '../../api/client';
import { complain } from '../../state/actions';
import { makeStore } from '../../state/make-store';
import type { Role } from '../../state/user';
import type { AccessEntry, AccessPage, LoginSession, UserEntry } from './types';

interface PeopleState {
  /** null: not fetched yet. */
  users: UserEntry[] | null;
  sessions: LoginSession[];
  entries: AccessEntry[];
  count: number;
}

const PAGE = 50;
const store = makeStore<PeopleState>({ users: null, sessions: [], entries: [], count: 0 });
export const usePeople = store.use;

const userPath = (name: string): string => `/v1/users/${encodeURIComponent(name)}`;

export async function refreshPeople(): Promise<void> {
  try {
    const [users, sessions, record] = await Promise.all([
      request<UserEntry[]>('GET', '/v1/users'),
      request<LoginSession[]>('GET', '/v1/sessions'),
      request<AccessPage>('GET', `/v1/access-record?limit=${Math.max(PAGE, Math.min(1000, store.get().entries.length))}`),
    ]);
    store.set({ users, sessions, entries: record.entries, count: record.count });
  } catch (error) {
    complain(error);
  }
}

export async function moreEntries(): Promise<void> {
  try {
    const { entries } = store.get();
    const page = await request<AccessPage>('GET', `/v1/access-record?limit=${PAGE}&offset=${entries.length}`);
    const known = new Set(entries.map((entry) => entry.seq)); // what was added meanwhile moves the pages
    store.set({ entries: [...entries, ...page.entries.filter((entry) => !known.has(entry.seq))], count: page.count });
  } catch (error) {
    complain(error);
  }
}

/** Raises ProblemError where the server refuses: the form says why. */
export async function addUser(name: string, role: Role, password: string): Promise<void> {
  await request('POST', '/v1/users', { name, role, password });
  await refreshPeople();
}

/** Raises ProblemError where the server refuses. */
export async function setPassword(name: string, password: string): Promise<void> {
  await request('PUT', `${userPath(name)}/password`, { password });
  await refreshPeople();
}

const tried = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(complain);
  await refreshPeople();
};

export const changeUser = (name: string, change: { role?: Role; disabled?: boolean }): Promise<void> => tried(request('PATCH', userPath(name), change));
export const removeUser = (name: string): Promise<void> => tried(request('DELETE', userPath(name)));
export const endSession = (number: number): Promise<void> => tried(request('DELETE', `/v1/sessions/${number}`));
