/** Alerts as they are raised (server-sent events), and what else that stream carries. The browser reconnects; a closed stream is opened again. */

import type { Alert } from '../api/types';
import { Backoff } from './backoff';
import { PASSED_ON, passOn } from './server-events';

export class AlertStream {
  private source: EventSource | null = null;
  private retry = 0;
  private readonly backoff = new Backoff(1000, 15000);

  constructor(
    private readonly url: string,
    private readonly onAlert: (alert: Alert) => void,
    private readonly onOpen: () => void,
  ) {
    this.open();
  }

  close(): void {
    window.clearTimeout(this.retry);
    this.source?.close();
  }

  private open(): void {
    const source = new EventSource(this.url);
    this.source = source;
    const take = (event: MessageEvent<string>): void => {
      try {
        const alert = JSON.parse(event.data) as Alert;
        if (typeof alert.key === 'string') this.onAlert(alert);
      } catch {
        // one unreadable alert must not end the stream; the list is fetched again at the next opening
      }
    };
    source.onmessage = take;
    source.addEventListener('alert', take as (event: Event) => void);
    for (const name of PASSED_ON) source.addEventListener(name, (event: MessageEvent<string>) => passOn(name, event.data));
    source.onopen = () => {
      this.backoff.reset();
      this.onOpen();
    };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) {
        this.retry = window.setTimeout(() => this.open(), this.backoff.next());
      }
    };
  }
}
