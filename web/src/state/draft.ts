/** What somebody has typed and not sent yet: it outlives a reload and a look elsewhere, in this tab alone. */

const PREFIX = 'civicbrain-draft-';

/** null: nothing is kept of that name, or nothing that can be read. */
export function readDraft<T extends object>(name: string): T | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(PREFIX + name) ?? 'null');
    return typeof kept === 'object' ? (kept as T | null) : null;
  } catch {
    return null;
  }
}

/** null: it was sent, or given up. */
export function keepDraft(name: string, draft: object | null): void {
  try {
    if (draft) sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
    else sessionStorage.removeItem(PREFIX + name);
  } catch {
    // a browser that keeps nothing: as it was before there were drafts
  }
}
