/** The rooms of the control room. A folder here with a room.ts that exports `room` is one: nothing else names it. */

import type { ComponentType } from 'preact';
import type { Role } from '../state/user';
import { HOME } from '../state/route';

export interface Room {
  /** As in the address and on the element (`data-testid="room-<slug>"`). */
  slug: string;
  label: string;
  /** A name of ui/icon. */
  icon: string;
  /** panel: beside the live map. page: instead of it. */
  layout: 'panel' | 'page';
  /** Place on the rail, from the top; the city now is 0. */
  order: number;
  /** Who may come in. */
  needs: Role;
  /** The room's part of the page, fetched when somebody first comes in. */
  load: () => Promise<ComponentType>;
  /** A page that leaves the live map in sight: it goes on drawing. */
  overMap?: boolean;
  /** Not on the rail: one comes here from elsewhere. */
  hidden?: boolean;
  /** A number beside the label (open cases, say); read again whenever the page's state changes. */
  count?: () => number;
}

const found = import.meta.glob<{ room: Room }>('./*/room.ts', { eager: true });

export const ROOMS: readonly Room[] = Object.values(found)
  .map((module) => module.room)
  .sort((a, b) => a.order - b.order);

export const findRoom = (slug: string): Room | undefined => (slug === HOME ? undefined : ROOMS.find((room) => room.slug === slug));

/** Whether the room stands before the live map, so that nobody can see it. */
export const hidesMap = (room: Room | undefined, query: Readonly<Record<string, string>>): boolean =>
  layoutOf(room, query) === 'page' && room?.overMap !== true;

/** Where the room stands: a panel can be opened as a page of its own with `?view=page`. */
export const layoutOf = (room: Room | undefined, query: Readonly<Record<string, string>>): Room['layout'] | undefined =>
  room?.layout === 'panel' && query['view'] === 'page' ? 'page' : room?.layout;
