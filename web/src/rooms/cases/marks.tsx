/** Small signs that are used all over the room. */

import type { JSX } from 'preact';
import type { CaseUrgency } from '../../api/case-types';
import { formatDuration, zoneOf } from '../../format';
import { text } from '../../text';
import { leftMs, pressureOf, shapeOf } from './model';
import { useNow } from './now';
import { casesText } from './text';

/** Shape, colour and word: any one of them says it. */
export function Urgency({ level, word = true }: { level: CaseUrgency; word?: boolean }): JSX.Element {
  const name = casesText.urgency[level];
  return (
    <span class={`urgency-mark ${level}`} title={word ? undefined : name}>
      <svg viewBox="-1.3 -1.3 2.6 2.6" aria-hidden="true">
        <polygon points={shapeOf(level).flat().join(' ')} />
      </svg>
      {word ? <b>{name}</b> : <span class="for-readers">{name}</span>}
    </span>
  );
}

/** Said once where times of alarms and cases begin: they are real, a twin's own clock is another. */
export const TimesKind = (): JSX.Element => (
  <p class="muted small times-kind" data-testid="times-kind">
    {text.clock.realIn(zoneOf(new Date()))}
  </p>
);

/** Time that is left until a deadline; loud once it has passed. what: of what it is, where that does not stand beside it. */
export function Due({ due, what = '', hint }: { due: string | null; what?: string; hint?: string }): JSX.Element | null {
  const nowMs = useNow();
  if (due === null) return null;
  const ms = leftMs(due, nowMs);
  const left = formatDuration(Math.abs(ms) / 1000);
  const said = ms < 0 ? casesText.cases.overdue(left) : casesText.cases.due(left);
  return (
    <span class={`due ${pressureOf(due, nowMs)}`} title={hint}>
      {what ? casesText.cases.dueOf(what, said) : said}
    </span>
  );
}

/** Time until an instant, alone. */
export function Left({ until }: { until: string }): JSX.Element {
  return <>{formatDuration(Math.max(0, leftMs(until, useNow())) / 1000)}</>;
}

/** Time since an instant, alone. */
export function Since({ from }: { from: string }): JSX.Element {
  return <>{formatDuration(Math.max(0, -leftMs(from, useNow())) / 1000)}</>;
}
