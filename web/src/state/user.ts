/** Who is logged in, and what they may do. The server decides; the page only does not offer what it would refuse. */

import { getState, useStore } from './store';

export const ROLES = ['viewer', 'operator', 'engineer', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  name: string;
  /** Each role may what those before it may. */
  role: Role;
  /** As the record of changes names them. */
  actor: string;
}

const reaches = (user: User | null, role: Role): boolean => user !== null && ROLES.indexOf(user.role) >= ROLES.indexOf(role);

export const may = (role: Role): boolean => reaches(getState().user, role);
export const useMay = (role: Role): boolean => useStore((s) => reaches(s.user, role));
