/** One row of the alarms' list: a group, or a single alarm. */

import type { JSX } from 'preact';
import type { AlarmGroup, AlarmView } from '../../api/case-types';
import { formatWhole } from '../../format';
import { Left, Urgency } from './marks';
import { casesText } from './text';
import { actorWords, clockOf } from './words';

const words = casesText.alarms;

export const matterOf = (group: AlarmGroup): string => (group.id === 'rest' ? words.rest(group.matter) : group.matter.replace(/^[\w-]+: /, ''));

export function GroupRow({ group }: { group: AlarmGroup }): JSX.Element {
  return (
    <div class={`alarm-row ${group.unacknowledged ? 'fresh' : ''}`} data-testid="alarm-group" data-group={group.id}>
      <Urgency level={group.urgency} />
      <span class="what">{matterOf(group)}</span>
      <span class="figure-of">
        <b>{formatWhole(group.alarms)}</b>
      </span>
      <span class="second muted">
        {words.fresh(formatWhole(group.unacknowledged))}
        {group.junctions > 1 && ` · ${words.junctions(formatWhole(group.junctions))}`}
        {` · ${words.since(clockOf(group.first))}`}
      </span>
    </div>
  );
}

export function AlarmRow({ alarm }: { alarm: AlarmView | undefined }): JSX.Element {
  if (!alarm) return <div class="alarm-row muted">{casesText.loading}</div>;
  const fresh = alarm.state === 'unacknowledged' || alarm.state === 'returned';
  return (
    <div class={`alarm-row ${fresh ? 'fresh' : ''}`} data-testid="alarm" data-alarm={alarm.id}>
      <Urgency level={alarm.urgency} />
      <span class="what">{alarm.title}</span>
      <span class="figure-of">{clockOf(alarm.raised)}</span>
      <span class="second muted">
        {words.state[alarm.state] ?? alarm.state}
        {alarm.state === 'shelved' && alarm.shelved_until && (
          <>
            {' · '}
            <ShelvedFor alarm={alarm} until={alarm.shelved_until} />
          </>
        )}
        {alarm.case && ` · ${alarm.case}`}
        {alarm.count > 1 && ` · ${words.times(formatWhole(alarm.count))}`}
        {alarm.detail && ` · ${alarm.detail}`}
      </span>
    </div>
  );
}

function ShelvedFor({ alarm, until }: { alarm: AlarmView; until: string }): JSX.Element {
  const [before, after] = words.shelvedFor('\u0000', actorWords(alarm.shelved_by), alarm.shelved_why).split('\u0000');
  return (
    <>
      {before}
      <Left until={until} />
      {after}
    </>
  );
}
