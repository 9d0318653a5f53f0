/** What a note says, as it stands now or as it was signed: figures, tables, sentences. */

import type { ComponentChildren, JSX } from 'preact';
import type { Handover, ShiftEvent } from '../../api/case-types';
import { placeName } from '../../alerts/place';
import { titleWords } from '../../alerts/words';
import { formatClock, formatMoment, formatRealMoment, formatRealTime, formatWhole } from '../../format';
import { ledgerSentence } from '../../ledger/sentence';
import { go } from '../../state/route';
import { getState, useStore } from '../../state/store';
import { matterOf } from '../cases/alarm-rows';
import { Urgency } from '../cases/marks';
import { casesText } from '../cases/text';
import { actorWords, eventWords, placeWords } from '../cases/words';
import { nameOf } from '../../map/street-names';
import { missionText } from '../missions/text';
import { shiftText } from './text';

const words = shiftText.note;

/** On the city's clock; what the wall clock showed stands second. */
export function Span({ note }: { note: Handover }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const real = words.span(formatRealMoment(note.since), formatRealTime(note.until));
  if (note.until_s === null) return <p class="muted">{real}</p>;
  const since = note.since_s === null ? words.beforeStart : formatMoment(epoch, note.since_s);
  return (
    <p class="muted" data-testid="shift-span">
      {words.span(since, formatMoment(epoch, note.until_s))} <small>({real})</small>
    </p>
  );
}

const junctionName = (id: string): string => getState().geometry?.junctions.find((one) => one.id === id)?.name || id;

/** What happened, as a sentence. */
function sentenceOf(event: ShiftEvent): string {
  if (!event.case) return ledgerSentence({ kind: event.what, actor: event.actor, body: event.detail }, { nameOf: junctionName });
  return `${actorWords(event.actor)}: ${eventWords(event)}`;
}

function EventRow({ event }: { event: ShiftEvent }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const real = formatRealTime(event.at);
  return (
    <li>
      <time dateTime={event.at}>
        {event.time_s === null ? real : formatClock(epoch, event.time_s)}
        {event.time_s !== null && <small class="muted">{real}</small>}
      </time>
      <span>
        {event.case ? (
          <button type="button" class="link" onClick={() => go('cases', event.case)}>
            {event.case}
          </button>
        ) : (
          (words.about[event.what.split('-')[0]] ?? words.platform)
        )}
      </span>
      <span>{sentenceOf(event)}</span>
    </li>
  );
}

function missionLine(mission: NonNullable<Handover['missions']>[number], epoch: string): string {
  const { geometry } = getState();
  const to = geometry ? nameOf(mission.to_edge, geometry) : mission.to_edge;
  const state = missionText.state[mission.state] ?? mission.state;
  return words.mission(to, state, mission.eta_s === null ? '' : formatClock(epoch, mission.eta_s));
}

export function Note({ note }: { note: Handover }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const figures = words.figures;
  const standing = note.groups.reduce((sum, group) => sum + group.active, 0);
  const late = note.open_cases.filter((one) => one.late).length;
  return (
    <>
      {!note.live && <p class="banner bad">{words.notLive}</p>}
      <dl class="note-figures">
        <Figure value={note.open_cases.length} name={figures.open} testid="open" />
        <Figure value={late} name={figures.late} bad={late > 0} />
        <Figure value={note.closed_cases} name={figures.closed} />
        <Figure value={standing} name={figures.alarms} />
        <Figure value={note.overrides.length} name={figures.overrides} bad={note.overrides.length > 0} />
        <Figure value={note.silent_sources.length} name={figures.silent} bad={note.silent_sources.length > 0} />
      </dl>
      <Part title={words.cases}>{note.open_cases.length ? <CaseTable note={note} /> : <p class="muted">{words.noCases}</p>}</Part>
      <div class="note-columns">
        <Part title={words.missions}>
          <Rows rows={(note.missions ?? []).map((one) => [one.vehicle || one.id, missionLine(one, epoch)])} />
        </Part>
        <Part title={words.overrides}>
          <Rows rows={note.overrides.map((one) => [`${words.overrideWhat[one.what] ?? one.what} ${one.what === 'junction' ? junctionName(one.which) : one.which}`, one.detail])} />
        </Part>
        <Part title={words.silent}>
          {note.silent_sources.length ? <p class="names">{note.silent_sources.map(junctionName).join(', ')}</p> : <p class="muted">{words.none}</p>}
        </Part>
        <Part title={words.alarms}>
          <ul class="plain-rows">
            {note.groups.map((group) => (
              <li key={group.id} class="inline">
                <Urgency level={group.urgency} />
                <span>
                  {matterOf(group)} {placeName(group) && <b>{placeName(group)}</b>} <span class="muted">{words.group(casesText.alarms.activeOf(group.active, group.alarms), formatWhole(group.unacknowledged))}</span>
                </span>
              </li>
            ))}
          </ul>
          {note.groups.length === 0 && <p class="muted">{words.none}</p>}
        </Part>
        <Part title={words.shelved}>
          <Rows
            rows={note.shelved.map((one) => [
              `${titleWords(one)} ${placeName(one)}`.trim(),
              words.shelvedUntil(one.shelved_until ? formatRealTime(one.shelved_until) : '', actorWords(one.shelved_by), one.shelved_why),
            ])}
          />
        </Part>
        {note.lost_notices.length > 0 && (
          <Part title={words.lost}>
            <Rows rows={note.lost_notices.map((one) => [`${one.case} → ${one.recipient}`, one.error || words.noAddress])} />
          </Part>
        )}
      </div>
      <Part title={words.changed}>
        {note.changes > note.changed.length && <p class="muted small">{words.changedSome(formatWhole(note.changed.length), formatWhole(note.changes))}</p>}
        {note.changed.length === 0 && <p class="muted">{words.none}</p>}
        <ol class="history wide">
          {[...note.changed].reverse().map((event, k) => (
            <EventRow key={k} event={event} />
          ))}
        </ol>
      </Part>
    </>
  );
}

function CaseTable({ note }: { note: Handover }): JSX.Element {
  const columns = words.columns;
  return (
    <table class="note-table case-table">
      <thead>
        <tr>
          {[columns.case, columns.urgency, columns.what, columns.state, columns.who, columns.due].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {note.open_cases.map((one) => (
          <tr key={one.id}>
            <th scope="row">
              <button type="button" class="link" onClick={() => go('cases', one.id)}>
                {one.id}
              </button>
            </th>
            <td>
              <Urgency level={one.urgency} />
            </td>
            <td>
              <b>{casesText.kind[one.kind] ?? one.title}</b> {placeWords(one.place)}
            </td>
            <td>{casesText.state[one.state]}</td>
            <td>{[one.assigned_to, one.holder && actorWords(one.holder)].filter(Boolean).join(' / ') || shiftText.week.unknown}</td>
            <td data-label={one.late ? undefined : columns.due}>{one.late ? <b class="late-word">{words.late}</b> : one.deadline ? formatRealTime(one.deadline) : shiftText.week.unknown}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const Figure = ({ value, name, bad = false, testid }: { value: number; name: string; bad?: boolean; testid?: string }): JSX.Element => (
  <div class={bad ? 'bad' : ''} data-testid={testid && `figure-${testid}`}>
    <dd>{formatWhole(value)}</dd>
    <dt>{name}</dt>
  </div>
);

export const Part = ({ title, children }: { title: string; children: ComponentChildren }): JSX.Element => (
  <section class="note-part">
    <h3>{title}</h3>
    {children}
  </section>
);

function Rows({ rows }: { rows: [string, string][] }): JSX.Element {
  if (rows.length === 0) return <p class="muted">{words.none}</p>;
  return (
    <ul class="plain-rows">
      {rows.map(([what, more], k) => (
        <li key={k}>
          <b>{what}</b>
          {more && <span class="muted">{more}</span>}
        </li>
      ))}
    </ul>
  );
}
