/** The upper half of the room: a handful of groups, or the single alarms of one. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { AlarmGroup, AlarmView } from '../../api/case-types';
import { hasPlace, placeName, showPlace } from '../../alerts/place';
import { alertText } from '../../alerts/text';
import { formatWhole } from '../../format';
import { go, useRoute } from '../../state/route';
import { useMay } from '../../state/user';
import { Icon } from '../../ui/icon';
import { acknowledgeAlarm, acknowledgeGroup, openAlarm, reportFrom, shelveAlarm, shelveGroup, unshelveAlarm } from './actions';
import { AlarmDetail } from './alarm-detail';
import { AlarmRow, GroupRow, matterOf } from './alarm-rows';
import { ALARM_LIST, choice, useChoice } from './choice';
import { useKeys } from './keys';
import { ListBox } from './list-box';
import { TimesKind } from './marks';
import { highest, keepChosen, sortGroups } from './model';
import { switchSound, useSound } from './sound';
import { openList, PAGE, showRows, useDesk, type Opened } from './store';
import { casesText } from './text';

const words = casesText.alarms;
const ROW_PX = 46;

/** What the address opens: a group's single alarms, the shelf, or all there ever were. */
function openedBy(query: Readonly<Record<string, string>>): Opened | null {
  if (query['group']) return { group: query['group'], which: 'standing' };
  if (query['which'] === 'shelved' || query['which'] === 'all') return { group: '', which: query['which'] };
  return null;
}

export function AlarmPane({ first }: { first: boolean }): JSX.Element {
  const query = useRoute((route) => route.query);
  const opened = openedBy(query);
  useEffect(() => {
    openList(opened);
    return () => openList(null);
  }, [opened?.group, opened?.which]);
  return (
    <section class="alarms-pane" aria-labelledby="alarms-heading" data-testid="alarms">
      <Heading opened={opened} />
      {opened ? <Singles key={opened.group + opened.which} opened={opened} first={first} /> : <Groups first={first} />}
    </section>
  );
}

function Heading({ opened }: { opened: Opened | null }): JSX.Element {
  const list = useDesk((s) => s.alarms);
  const sound = useSound();
  const fresh = list?.groups.filter((group) => group.unacknowledged > 0) ?? [];
  const top = highest(fresh.map((group) => group.urgency));
  return (
    <>
      <header class="pane-head">
        <h2 id="alarms-heading">{words.title}</h2>
        {list && <span class="caption">{words.counts(formatWhole(list.groups.reduce((sum, group) => sum + group.active, 0)), formatWhole(list.unacknowledged))}</span>}
        <span class="spacer" />
        {!opened && (
          <>
            {(list?.shelved ?? 0) > 0 && (
              <button type="button" class="link" data-testid="shelf" onClick={() => go('cases', '', { which: 'shelved' })}>
                {words.shelved(formatWhole(list?.shelved ?? 0))}
              </button>
            )}
            <button type="button" class="link" data-testid="alarm-history" onClick={() => go('cases', '', { which: 'all' })}>
              {words.history}
            </button>
          </>
        )}
        <button type="button" class="icon" aria-pressed={sound} aria-label={sound ? words.soundOn : words.soundOff} title={sound ? words.soundOn : words.soundOff} data-testid="sound" onClick={() => switchSound(!sound)}>
          <Icon name={sound ? 'bell' : 'bell_off'} />
        </button>
      </header>
      <TimesKind />
      <p class="for-readers" aria-live="polite">
        {top && words.arrived(formatWhole(list?.unacknowledged ?? 0), casesText.urgency[top])}
      </p>
      {list?.flood && (
        <p class="banner flood" role="status" data-testid="flood">
          {words.flood(formatWhole(list.rate))}
        </p>
      )}
      {(list?.lost ?? 0) > 0 && (
        <p class="banner bad" role="alert" data-testid="lost">
          {words.lost(formatWhole(list?.lost ?? 0))}
        </p>
      )}
    </>
  );
}

const NO_GROUPS: AlarmGroup[] = [];

function Groups({ first }: { first: boolean }): JSX.Element {
  const list = useDesk((s) => s.alarms);
  const groups = sortGroups(list?.groups ?? NO_GROUPS);
  const [chosen, place] = useChoice<string>('group');
  const key = keepChosen(groups.map((group) => group.id), chosen, place);
  const row = groups.findIndex((group) => group.id === key);
  const group = groups[row];
  const open = (at: number): void => {
    if (groups[at]) go('cases', '', { group: groups[at].id });
  };
  const active = (act: (one: AlarmGroup) => void) => (): void => {
    if (group && choice.pane() === 'alarms') act(group);
  };
  useKeys({ a: active(acknowledgeGroup), s: active(shelveGroup) });
  if (list && groups.length === 0) return <p class="muted pane-empty">{words.none}</p>;
  return (
    <>
      <Tools>
        <Tool label={words.acknowledge} name="acknowledge" letter="A" hint={words.acknowledgeHint} off={!group?.unacknowledged} onClick={() => group && acknowledgeGroup(group)} />
        <Tool label={words.shelve} name="shelve" letter="S" off={!group} onClick={() => group && shelveGroup(group)} />
      </Tools>
      {!list && <p class="muted pane-empty">{casesText.loading}</p>}
      <ListBox
        id={ALARM_LIST}
        label={words.label}
        count={groups.length}
        rowPx={ROW_PX}
        chosen={row}
        keyOf={(at) => groups[at]?.id}
        render={(at) => (groups[at] ? <GroupRow group={groups[at]} /> : null)}
        onChoose={(at) => choice.set('group', groups[at]?.id ?? null, at)}
        onOpen={open}
        opensOnClick
        onFocus={() => choice.enter('alarms')}
        first={first}
      />
    </>
  );
}

function Singles({ opened, first }: { opened: Opened; first: boolean }): JSX.Element {
  const list = useDesk((s) => s.alarms);
  const pages = useDesk((s) => s.pages);
  const [chosen, place] = useChoice<number>('alarm');
  const group = list?.groups.find((one) => one.id === opened.group);
  const count = countOf(opened, group, list?.shelved ?? 0, pages);
  const alarmAt = (row: number): AlarmView | undefined => pages.get(Math.floor(row / PAGE) * PAGE)?.[row % PAGE];
  const here = [...pages].flatMap(([offset, alarms]) => alarms.map((one, k): [number, AlarmView] => [offset + k, one]));
  // what is chosen may have moved, or gone: then what has come into its place
  const found = here.find(([, one]) => one.id === chosen);
  const row = found ? found[0] : Math.min(place, count - 1);
  const alarm = alarmAt(row);
  useEffect(() => {
    if (alarm) choice.settle('alarm', [chosen, place], alarm.id, row);
  }, [alarm?.id, row]);
  useEffect(() => choice.set('alarm', null, 0), []);
  // noted, and over: nothing of this group is left to look at
  const gone = opened.which === 'standing' && list !== null && !group;
  useEffect(() => {
    if (gone) go('cases', '', {}, true);
  }, [gone]);
  const active = (act: (one: AlarmView) => void) => (): void => {
    if (alarm && choice.pane() === 'alarms') act(alarm);
  };
  const back = (): void => go('cases');
  useKeys({
    a: active(acknowledgeAlarm),
    s: active(shelveAlarm),
    u: active(unshelveAlarm),
    Escape: back,
    ...(alarm?.junction && { n: () => reportFrom(alarm) }),
  });
  return (
    <>
      <Tools>
        <button type="button" class="link back" data-testid="groups-back" onClick={back}>
          <Icon name="back" />
          {words.back}
        </button>
        <b class="of">{opened.which === 'all' ? words.historyTitle : opened.which === 'shelved' ? words.shelved(formatWhole(count)) : group ? matterOf(group) : ''}</b>
        {group && (
          <>
            <Tool label={words.acknowledgeAll(formatWhole(group.unacknowledged))} name="acknowledge-all" hint={words.acknowledgeHint} off={!group.unacknowledged} onClick={() => acknowledgeGroup(group)} />
            <Tool label={words.shelve} name="shelve-all" onClick={() => shelveGroup(group)} />
          </>
        )}
      </Tools>
      {count === 0 ? (
        <p class="muted pane-empty">{pages.size > 0 ? words.empty : casesText.loading}</p>
      ) : (
        <ListBox
          id={ALARM_LIST}
          label={words.of(group ? matterOf(group) : words.history)}
          count={count}
          rowPx={ROW_PX}
          chosen={row}
          keyOf={(at) => alarmAt(at)?.id}
          render={(at) => <AlarmRow alarm={alarmAt(at)} />}
          onChoose={(at) => choice.set('alarm', alarmAt(at)?.id ?? null, at)}
          onOpen={(at) => {
            const one = alarmAt(at);
            if (one) openAlarm(one);
          }}
          opensOnClick={false}
          onSight={showRows}
          onFocus={() => choice.enter('alarms')}
          first={first}
        />
      )}
      {alarm && (
        <AlarmDetail alarm={alarm}>
          <Tool label={words.acknowledge} name="acknowledge" letter="A" hint={words.acknowledgeHint} off={alarm.state === 'acknowledged' || alarm.state === 'normal'} onClick={() => acknowledgeAlarm(alarm)} />
          {alarm.state === 'shelved' ? (
            <Tool label={words.unshelve} name="unshelve" letter="U" onClick={() => unshelveAlarm(alarm)} />
          ) : (
            <Tool label={words.shelve} name="shelve" letter="S" off={alarm.state === 'normal'} onClick={() => shelveAlarm(alarm)} />
          )}
          <Tool label={alarm.case ? words.openCase(alarm.case) : words.report} name="open" letter="↵" viewer={alarm.case !== ''} onClick={() => openAlarm(alarm)} />
          {hasPlace(alarm) && <Tool label={alertText.showOnMap(placeName(alarm))} name="junction" viewer onClick={() => showPlace(alarm)} />}
        </AlarmDetail>
      )}
    </>
  );
}

/** Of the history nobody counts how long it is: one page more, as long as the last one read is full. */
function countOf(opened: Opened, group: AlarmGroup | undefined, shelved: number, pages: ReadonlyMap<number, readonly AlarmView[]>): number {
  if (opened.which === 'shelved') return shelved;
  if (opened.which === 'standing') return group?.alarms ?? 0;
  const last = Math.max(0, ...pages.keys());
  const read = last + (pages.get(last)?.length ?? 0);
  return pages.get(last)?.length === PAGE ? read + PAGE : read;
}

const Tools = ({ children }: { children: JSX.Element | (JSX.Element | false | undefined | null)[] }): JSX.Element => (
  <div class="tools">{children}</div>
);

interface ToolProps {
  label: string;
  name: string;
  letter?: string;
  /** What it does and does not do. */
  hint?: string;
  off?: boolean;
  /** Who may only look may do this, too. */
  viewer?: boolean;
  onClick: () => void;
}

export function Tool({ label, name, letter, hint, off = false, viewer = false, onClick }: ToolProps): JSX.Element {
  const operator = useMay('operator');
  return (
    <button type="button" class="button tight" disabled={off || (!operator && !viewer)} title={hint} data-testid={`do-${name}`} onClick={onClick}>
      {label}
      {letter && <kbd aria-hidden="true">{letter}</kbd>}
    </button>
  );
}
