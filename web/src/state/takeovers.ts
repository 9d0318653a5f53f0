/** Whoever holds a junction is told when somebody else changes that, wherever on the page they are. No page in here. */

export interface Held {
  junction: string;
  action: string;
  stage: string;
  actor: string;
  expires_s: number;
}

export interface Taken {
  junction: string;
  /** Who holds it now: "" nobody, oneself: in another window. */
  by: string;
}

/** A log-in without its role. */
export const personWords = (actor: string): string => actor.replace(/^(viewer|operator|engineer|administrator):/, '');

/** A change asked for in this window is no news there; the snapshot that shows it comes within this. */
const OWN_MS = 5000;
/** What ends within this of its time ended by itself: snapshots come each second. */
const ENDING_S = 3;

const own = new Map<string, number>();

export const changedHere = (junction: string): void => void own.set(junction, Date.now());
export const isOwn = (junction: string): boolean => Date.now() - (own.get(junction) ?? -Infinity) < OWN_MS;

/** What became of the overrides of `me` between two looks; nowS: platform second of the second one. */
export function takenFrom(before: readonly Held[], after: readonly Held[], me: string, nowS: number): Taken[] {
  return before
    .filter((one) => one.actor === me)
    .flatMap((one): Taken[] => {
      const now = after.find((other) => other.junction === one.junction);
      if (!now) return one.expires_s - nowS > ENDING_S ? [{ junction: one.junction, by: '' }] : [];
      const same = now.actor === me && now.action === one.action && now.stage === one.stage;
      return same ? [] : [{ junction: one.junction, by: now.actor }];
    });
}
