/** How far something is that is being worked out: the share that is done, since when it runs, and about how long yet. */

import type { JSX } from 'preact';
import { formatAge, formatDuration, formatWhole } from '../../format';
import { words } from './text';
import type { UnderWay } from './types';

const text = words.answer;

export function timesOf({ elapsed_s: elapsedS, left_s: leftS }: Pick<UnderWay, 'elapsed_s' | 'left_s'>): string {
  if (elapsedS == null) return '';
  return [text.elapsed(formatDuration(elapsedS)), leftS == null ? text.leftUnknown : text.left(formatAge(leftS))].join(' · ');
}

export function UnderWayCard({ one }: { one: UnderWay }): JSX.Element {
  const queued = one.state === 'queued';
  return (
    <div class="card" data-testid="what-if-progress">
      <p role="status">{queued ? text.waiting : text.working(formatWhole(100 * one.progress))}</p>
      <progress max={1} value={one.progress} aria-label={text.progress} />
      {!queued && <p class="muted small">{timesOf(one)}</p>}
    </div>
  );
}
