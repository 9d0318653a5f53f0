/** Who may do what: users, who is logged in, and the record of access. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatWhole } from '../../format';
import { loginText } from '../../login/text';
import { ROLES, type Role } from '../../state/user';
import { useStore } from '../../state/store';
import { changeUser, endSession, moreEntries, refreshPeople, removeUser, usePeople } from './actions';
import { AddDialog, PasswordDialog, RemoveDialog } from './dialogs';
import { ago, describe, inFull, program } from './model';
import './people.css';
import { peopleText as words } from './text';
import type { AccessEntry, LoginSession, UserEntry } from './types';

const REFRESH_MS = 10_000;

export function PeopleRoom(): JSX.Element {
  const users = usePeople((s) => s.users);
  useEffect(() => {
    void refreshPeople();
    const timer = window.setInterval(() => document.visibilityState === 'visible' && void refreshPeople(), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <div class="people">
      <h2>{words.title}</h2>
      <p class="muted">{words.intro}</p>
      {users === null ? <p class="muted">{words.loading}</p> : <Users users={users} />}
      <Sessions />
      <Record />
    </div>
  );
}

function Users({ users }: { users: UserEntry[] }): JSX.Element {
  const [adding, setAdding] = useState(false);
  return (
    <section aria-labelledby="users-title">
      <div class="people-head">
        <h3 id="users-title">{words.users}</h3>
        <button type="button" class="button primary" data-testid="user-add" onClick={() => setAdding(true)}>
          {words.add}
        </button>
      </div>
      {users.length === 0 ? (
        <p class="muted">{words.noUsers}</p>
      ) : (
        <Table heads={[words.columns.name, words.columns.role, words.columns.way, words.columns.seen, words.columns.sessions, words.columns.actions]}>
          {users.map((user) => (
            <UserRow key={user.name} user={user} />
          ))}
        </Table>
      )}
      {adding && <AddDialog onClose={() => setAdding(false)} />}
    </section>
  );
}

function UserRow({ user }: { user: UserEntry }): JSX.Element {
  const own = useStore((s) => s.user?.name === user.name);
  const [asked, setAsked] = useState<'password' | 'remove' | null>(null);
  const local = user.way === 'password';
  return (
    <tr data-testid={`user-${user.name}`} class={user.disabled ? 'is-off' : ''}>
      <th scope="row">
        {user.name}
        {own && <span class="tag">{words.you}</span>}
        {user.disabled && <span class="tag warn">{words.disabled}</span>}
      </th>
      <td>
        <select
          class="select"
          aria-label={words.roleOf(user.name)}
          title={words.roleHint[user.role]}
          value={user.role}
          disabled={!local}
          onChange={(event) => {
            const role = event.currentTarget.value as Role;
            event.currentTarget.value = user.role; // until the server has agreed
            void changeUser(user.name, { role });
          }}
        >
          {ROLES.map((role) => (
            <option key={role} value={role} title={words.roleHint[role]}>
              {loginText.role[role]}
            </option>
          ))}
        </select>
      </td>
      <td>{words.way[user.way]}</td>
      <td title={user.seen ? inFull(user.seen) : undefined}>{user.seen ? ago(user.seen) : words.never}</td>
      <td class="figure-cell">{formatWhole(user.sessions)}</td>
      <td>
        <div class="people-actions">
          <button
            type="button"
            class="button"
            aria-label={user.disabled ? words.enableNamed(user.name) : words.disableNamed(user.name)}
            onClick={() => void changeUser(user.name, { disabled: !user.disabled })}
          >
            {user.disabled ? words.enable : words.disable}
          </button>
          {local && (
            <button type="button" class="button" aria-label={words.passwordNamed(user.name)} onClick={() => setAsked('password')}>
              {words.password}
            </button>
          )}
          <button type="button" class="button" aria-label={words.removeNamed(user.name)} onClick={() => setAsked('remove')}>
            {words.remove}
          </button>
        </div>
        {asked === 'password' && <PasswordDialog name={user.name} onClose={() => setAsked(null)} />}
        {asked === 'remove' && (
          <RemoveDialog
            name={user.name}
            onClose={() => setAsked(null)}
            onRemove={() => {
              setAsked(null);
              void removeUser(user.name);
            }}
          />
        )}
      </td>
    </tr>
  );
}

function Sessions(): JSX.Element {
  const sessions = usePeople((s) => s.sessions);
  const heads = words.session;
  return (
    <section aria-labelledby="sessions-title">
      <h3 id="sessions-title">{words.sessions}</h3>
      {sessions.length === 0 ? (
        <p class="muted">{words.noSessions}</p>
      ) : (
        <Table heads={[heads.user, heads.from, heads.browser, heads.started, heads.active, heads.ends, heads.actions]}>
          {sessions.map((session) => (
            <SessionRow key={session.number} session={session} />
          ))}
        </Table>
      )}
    </section>
  );
}

function SessionRow({ session }: { session: LoginSession }): JSX.Element {
  return (
    <tr data-testid={`session-of-${session.user}`}>
      <th scope="row">
        {session.user} <span class="muted">{loginText.role[session.role]}</span>
        {session.own && <span class="tag">{words.you}</span>}
      </th>
      <td>{session.address}</td>
      <td title={session.agent}>{program(session.agent)}</td>
      <td title={inFull(session.started)}>{ago(session.started)}</td>
      <td title={inFull(session.active)}>{ago(session.active)}</td>
      <td title={inFull(session.expires_at)}>{ago(session.expires_at)}</td>
      <td>
        <button type="button" class="button small" aria-label={words.endNamed(session.user)} onClick={() => void endSession(session.number)}>
          {words.end}
        </button>
      </td>
    </tr>
  );
}

function Record(): JSX.Element {
  const entries = usePeople((s) => s.entries);
  const count = usePeople((s) => s.count);
  return (
    <section aria-labelledby="record-title">
      <h3 id="record-title">{words.record}</h3>
      <p class="muted small">{words.recordHint(formatWhole(count))}</p>
      <Table heads={[words.entry.at, words.entry.what, words.entry.who, words.entry.detail]}>
        {entries.map((entry) => (
          <EntryRow key={entry.seq} entry={entry} />
        ))}
      </Table>
      {entries.length < count && (
        <button type="button" class="link" onClick={() => void moreEntries()}>
          {words.more}
        </button>
      )}
    </section>
  );
}

function EntryRow({ entry }: { entry: AccessEntry }): JSX.Element {
  return (
    <tr class={entry.kind === 'log-in-refused' ? 'is-refused' : ''}>
      <td class="nowrap">{inFull(entry.at)}</td>
      <td>{words.kind[entry.kind] ?? entry.kind}</td>
      <td>{entry.actor}</td>
      <td class="muted">{describe(entry.body)}</td>
    </tr>
  );
}

function Table({ heads, children }: { heads: string[]; children: JSX.Element[] }): JSX.Element {
  return (
    <div class="people-table">
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
