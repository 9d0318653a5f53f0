/** A page older than the server: its lazy parts are gone, or the server has come back with another build. */

import { makeStore } from './make-store';

interface Renewal {
  /** The server has another page than this one. */
  renewed: boolean;
}

const store = makeStore<Renewal>({ renewed: false });
export const useRenewed = (): boolean => store.use((s) => s.renewed);

/** For which of the server's builds the page has been fetched anew by itself: once is enough. */
const RELOADED_KEY = 'civicbrain-reloaded';
const ASK_TIMEOUT_MS = 8000;

/** The part of which a failed import speaks: each browser words it otherwise, all but one name its address. */
export function partOf(error: unknown): string | null {
  const found = /(?:https?:\/\/[^\s'"]+|\/[^\s'"]+)\.(?:js|mjs|css)\b/.exec(error instanceof Error ? error.message : String(error));
  return found?.[0] ?? null;
}

/** The address of the script with which a page begins: it is another one after every build. */
export const entryOf = (page: Document): string | null => page.querySelector('script[type="module"][src]')?.getAttribute('src') ?? null;

const ask = (address: string): Promise<Response> => fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });

/** Where the server's own page begins; null when it does not say. */
async function theirEntry(): Promise<string | null> {
  try {
    const answer = await ask('./');
    return answer.ok ? entryOf(new DOMParser().parseFromString(await answer.text(), 'text/html')) : null;
  } catch {
    return null; // it is away; asked again when it is back
  }
}

/** Look whether the server has another build: after the connection was lost. */
export async function lookForRenewal(): Promise<void> {
  const theirs = await theirEntry();
  if (theirs && theirs !== entryOf(document)) store.set({ renewed: true });
}

/** A part of the page could not be fetched. True when the server no longer has it: then the page is fetched anew,
 * once, where nothing is lost by it; else the banner asks for it. */
export async function partFailed(error: unknown): Promise<boolean> {
  if (store.get().renewed) return true;
  const part = partOf(error);
  const gone = part !== null && (await ask(part).then((answer) => answer.status === 404, () => false));
  const theirs = await theirEntry();
  const renewed = gone || (theirs !== null && theirs !== entryOf(document));
  if (!renewed) return false;
  const build = theirs ?? '';
  if (!somethingWouldBeLost() && sessionStorage.getItem(RELOADED_KEY) !== build) {
    sessionStorage.setItem(RELOADED_KEY, build);
    location.reload();
  } else store.set({ renewed });
  return true;
}

/** A dialog is open, or something has been typed. */
function somethingWouldBeLost(): boolean {
  if (document.querySelector('dialog[open]')) return true;
  const typed = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('textarea, input:not([type]), input[type="text"], input[type="password"], input[type="search"]');
  return [...typed].some((field) => field.value !== field.defaultValue);
}
