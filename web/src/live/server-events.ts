/** What the one event stream carries beside alerts, handed to whoever listens. */

type Listener = (data: unknown) => void;

/** Names of the events that are handed on. */
export const PASSED_ON = ['cases'] as const;
export type ServerEvent = (typeof PASSED_ON)[number];

const listeners = new Map<ServerEvent, Set<Listener>>();

/** Hear of each event of that name; returns how to stop. */
export function onServerEvent(name: ServerEvent, listener: Listener): () => void {
  const known = listeners.get(name) ?? new Set();
  listeners.set(name, known.add(listener));
  return () => void known.delete(listener);
}

/** Called by the stream with an event's text. One that cannot be read is passed over: the next is never far. */
export function passOn(name: ServerEvent, data: string): void {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return;
  }
  for (const listener of listeners.get(name) ?? []) listener(value);
}
