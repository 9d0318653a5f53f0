import type { Role } from '../../state/user';

export interface UserEntry {
  name: string;
  role: Role;
  /** provider: name and role come from the identity provider. */
  way: 'password' | 'provider';
  disabled: boolean;
  made: string;
  /** Their last log-in. */
  seen: string | null;
  /** Sessions they have now. */
  sessions: number;
}

export interface LoginSession {
  number: number;
  user: string;
  role: Role;
  way: 'password' | 'provider' | 'token';
  address: string;
  agent: string;
  started: string;
  active: string;
  expires_at: string;
  own: boolean;
}

export interface AccessEntry {
  seq: number;
  at: string;
  kind: string;
  actor: string;
  body: Record<string, unknown>;
}

export interface AccessPage {
  entries: AccessEntry[];
  count: number;
}
