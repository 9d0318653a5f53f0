/** Where the page is, in its address: `#/cases/C-12?step=3`. A link opens the same place; Back goes back.
 *
 * A place is a room, what is shown in it, and details as query parameters. `#/` is the city now. */

import { makeStore } from './make-store';

export interface Route {
  room: string;
  /** What the room shows, "" for its list. */
  item: string;
  query: Readonly<Record<string, string>>;
}

export const HOME = 'now';

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [room = '', ...item] = path.split('/');
  return { room: decode(room) || HOME, item: decode(item.join('/')), query: Object.fromEntries(new URLSearchParams(search)) };
}

export function formatRoute(room: string, item = '', query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  const path = room === HOME && !item ? '' : encodeURIComponent(room) + (item ? `/${encodeURIComponent(item)}` : '');
  return `#/${path}${search ? `?${search}` : ''}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ''; // somebody shortened the address by hand
  }
}

const store = makeStore<Route>(parseRoute(typeof location === 'undefined' ? '' : location.hash));

export const getRoute = store.get;
export const useRoute = store.use;
/** Hear of every change of place; returns how to stop. */
export const onRoute = store.subscribe;

/** Go somewhere; `replace` when the old place is not worth going back to. */
export function go(room: string, item = '', query: Record<string, string> = {}, replace = false): void {
  const hash = formatRoute(room, item, query);
  history[replace ? 'replaceState' : 'pushState'](null, '', hash);
  store.set(parseRoute(hash));
}

export function watchAddress(): void {
  window.addEventListener('popstate', () => store.set(parseRoute(location.hash)));
}
