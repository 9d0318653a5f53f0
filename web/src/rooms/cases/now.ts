/** The second, for whatever counts down. */

import { useEffect } from 'preact/hooks';
import { makeStore } from '../../state/make-store';
import { serverNowMs } from './summary';

const store = makeStore({ nowMs: serverNowMs() });
let users = 0;
let timer = 0;

/** Now on the server's clock, in whole seconds; drawn again each second. */
export function useNow(): number {
  useEffect(() => {
    if (users++ === 0) {
      const tick = (): void => store.set({ nowMs: Math.floor(serverNowMs() / 1000) * 1000 });
      tick();
      timer = window.setInterval(tick, 1000);
    }
    return () => {
      if (--users === 0) window.clearInterval(timer);
    };
  }, []);
  return store.use((s) => s.nowMs);
}
