/** One row of the alarms' list: a group, or a single alarm. */

import type { JSX } from 'preact';
import type { AlarmGroup, AlarmView } from '../../api/case-types';
import { placeName } from '../../alerts/place';
import { detailWords, titleWords } from '../../alerts/words';
import { formatWhole } from '../../format';
import { Left, Urgency } from './marks';
import { casesText } from './text';
import { actorWords, clockOf } from './words';

const words = casesText.alarms;

export function matterOf(group: AlarmGroup): string {
  if (group.id === 'rest') return words.rest(group.matter);
  return titleWords({ title: group.matter.replace(/^[\w-]+: /, ''), detail: '', said: group.said });
}

export function GroupRow({ group }: { group: AlarmGroup }): JSX.Element {
  return (
    <div class={`alarm-row ${group.unacknowledged ? 'fresh' : ''} ${group.active ? '' : 'ended'}`} data-testid="alarm-group" data-group={group.id}>
      <Urgency level={group.urgency} />
      <span class="what">{matterOf(group)}</span>
      <span class="figure-of">
        <b>{formatWhole(group.alarms)}</b>
      </span>
      <span class="second muted">
        {placeName(group) && <b class="at-place">{placeName(group)}</b>}
        {placeName(group) && ' · '}
        {group.active ? words.activeOf(group.active, group.alarms) : words.allOver}
        {` · ${words.fresh(formatWhole(group.unacknowledged))}`}
        {group.junctions > 1 && ` · ${words.junctions(formatWhole(group.junctions))}`}
        {` · ${words.since(clockOf(group.first))}`}
      </span>
    </div>
  );
}

/** What it is about is over, noted or not. */
export const isOver = (alarm: AlarmView): boolean => alarm.state === 'returned' || alarm.state === 'normal';

export function AlarmRow({ alarm }: { alarm: AlarmView | undefined }): JSX.Element {
  if (!alarm) return <div class="alarm-row muted">{casesText.loading}</div>;
  const fresh = alarm.state === 'unacknowledged' || alarm.state === 'returned';
  return (
    <div class={`alarm-row ${fresh ? 'fresh' : ''} ${isOver(alarm) ? 'ended' : ''}`} data-testid="alarm" data-alarm={alarm.id}>
      <Urgency level={alarm.urgency} />
      <span class="what">{titleWords(alarm)}</span>
      <span class="figure-of">{clockOf(alarm.raised)}</span>
      <span class="second muted">
        {placeName(alarm) && <b class="at-place">{placeName(alarm)}</b>}
        {placeName(alarm) && ' · '}
        {isOver(alarm) && alarm.cleared ? words.overSince(words.state[alarm.state] ?? alarm.state, clockOf(alarm.cleared)) : (words.state[alarm.state] ?? alarm.state)}
        {alarm.state === 'shelved' && alarm.shelved_until && (
          <>
            {' · '}
            <ShelvedFor alarm={alarm} until={alarm.shelved_until} />
          </>
        )}
        {alarm.case && ` · ${alarm.case}`}
        {alarm.count > 1 && ` · ${words.times(formatWhole(alarm.count))}`}
        {detailWords(alarm) && ` · ${detailWords(alarm)}`}
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
