/** A store: values in one place, and who wants to hear of changes. A room keeps its own. */

import { useEffect, useRef, useState } from 'preact/hooks';

export interface Store<S extends object> {
  get: () => Readonly<S>;
  /** Listeners hear only of values that are others than before. */
  set: (change: Partial<S>) => void;
  /** Hear of every change; returns how to stop. */
  subscribe: (listener: () => void) => () => void;
  /** Part of the state, in a component: drawn again only when that part is another one. */
  use: <T>(select: (state: Readonly<S>) => T) => T;
}

export function makeStore<S extends object>(initial: S): Store<S> {
  const listeners = new Set<() => void>();
  let state = initial;
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    get: () => state,
    set: (change) => {
      const keys = Object.keys(change) as (keyof S)[];
      if (keys.every((key) => Object.is(state[key], change[key]))) return;
      state = { ...state, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe,
    use: (select) => {
      // what is selected may hang on the component's own values: the newest selection counts
      const value = select(state);
      const last = useRef({ select, value });
      last.current = { select, value };
      const [, draw] = useState(0);
      useEffect(() => {
        const check = (): void => {
          if (!Object.is(last.current.select(state), last.current.value)) draw((count) => count + 1);
        };
        check();
        return subscribe(check);
      }, []);
      return value;
    },
  };
}
