/** What belongs to a case: what-ifs, evidence, notices, and who did what when. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CaseFile, Evidence, IncidentKind, Notice } from '../../api/case-types';
import { sentenceWords } from '../../alerts/words';
import { formatClock, formatWhole } from '../../format';
import { go } from '../../state/route';
import { getState } from '../../state/store';
import { findRoom } from '../registry';
import { notify, sendAgain, showEvidence, writeNote } from './actions';
import { Tool } from './alarm-pane';
import { WhatIfTools } from './case-steps';
import { Left } from './marks';
import { readRecipients, useDesk } from './store';
import { casesText } from './text';
import { actorWords, eventWords, momentOf, placeWords, preciseClockOf, whyWords } from './words';

const words = casesText.file;

export function Attachments({ file }: { file: CaseFile }): JSX.Element {
  return (
    <>
      <Part title={words.whatIf} tools={file.proposals.includes('what_if') ? null : <WhatIfTools file={file} />}>
        {file.what_ifs.length > 0 && <WhatIfList file={file} />}
      </Part>
      <Part title={words.evidence} tools={<Tool label={words.showEvidence} name="evidence" letter="E" onClick={() => showEvidence(file)} />}>
        <EvidenceList id={file.case.id} />
      </Part>
      <Part title={words.notices} tools={<Tool label={words.notify} name="notify" onClick={() => void notify(file)} />}>
        <Notices file={file} />
      </Part>
      <Part title={words.history} tools={<Tool label={words.note} name="note" letter="W" onClick={() => writeNote(file)} />}>
        <History file={file} />
      </Part>
    </>
  );
}

interface PartProps {
  title: string;
  tools: JSX.Element | null;
  children: JSX.Element | false;
}

const Part = ({ title, tools, children }: PartProps): JSX.Element => (
  <section class="case-part">
    <header class="pane-head">
      <h3>{title}</h3>
      <span class="spacer" />
      {tools}
    </header>
    {children}
  </section>
);

function WhatIfList({ file }: { file: CaseFile }): JSX.Element {
  const room = ['what-if', 'what-ifs', 'whatif', 'what_if'].map(findRoom).find(Boolean);
  return (
    <ul class="plain-rows" data-testid="what-if-links">
      {file.what_ifs.map((one) => (
        <li key={one.id}>
          {room ? (
            <button type="button" class="link" onClick={() => go(room.slug, one.id)}>
              {one.title || one.id}
            </button>
          ) : (
            <b>{one.title || one.id}</b>
          )}
          <span class="muted small">
            {one.title && `${one.id} · `}
            {words.stepBy(actorWords(one.by), momentOf(one.at))}
          </span>
        </li>
      ))}
    </ul>
  );
}

function EvidenceList({ id }: { id: string }): JSX.Element {
  const evidence = useDesk((s) => s.evidence);
  if (evidence?.case !== id) return <p class="muted small">{words.evidenceHint}</p>;
  const nothing = evidence.incidents.length === 0 && evidence.statements.length === 0;
  return (
    <div class="evidence" data-testid="evidence">
      {nothing && <p class="muted small">{words.evidenceNone}</p>}
      <EvidenceRows evidence={evidence} />
      {evidence.kept_until && <p class="muted small">{words.keptUntil(momentOf(evidence.kept_until))}</p>}
    </div>
  );
}

/** "Stopped vehicle 52 %, Crash 31 %": cameras see that somebody stands, not why. */
const kindShares = (kinds: Evidence['incidents'][number]['kinds']): string =>
  (Object.entries(kinds) as [IncidentKind, number][])
    .map(([kind, share]) => `${casesText.kind[kind]} ${formatWhole(100 * share)} %`)
    .join(', ');

const EvidenceRows = ({ evidence }: { evidence: Evidence }): JSX.Element => (
  <ul class="plain-rows">
    {evidence.incidents.map((one) => (
      <li key={one.id}>
        <span>
          <b>{casesText.kind[one.kind]}</b> {formatWhole(100 * one.confidence)} %{!one.open && ` · ${casesText.cases.over}`}
        </span>
        {Object.keys(one.kinds).length > 1 && <span>{words.kinds(kindShares(one.kinds))}</span>}
        {one.said.map(sentenceWords).map((line) => (
          <span key={line}>{line}</span>
        ))}
        {one.effects.length > 0 && <span>{words.effects}</span>}
        {one.effects.map(({ place, since_s }) => (
          <span key={place.edge} class="muted">
            {words.effect(placeWords({ ...place, junction: place.edge ? '' : place.junction }), formatClock(getState().city?.epoch ?? '', since_s))}
          </span>
        ))}
        {one.sensors.length > 0 && <span class="muted small">{one.sensors.join(', ')}</span>}
      </li>
    ))}
    {evidence.statements.map((one) => (
      <li key={one.id}>
        <span>
          <b>{casesText.reporter[one.reporter]}</b> {preciseClockOf(one.received)} {one.source && <span class="muted">{one.source}</span>}
        </span>
        <q>{one.deleted ? words.deleted : one.text || '–'}</q>
      </li>
    ))}
  </ul>
);

function Notices({ file }: { file: CaseFile }): JSX.Element {
  const steps = stepTitles(file);
  useEffect(() => void readRecipients(), []);
  const notices = useDesk((s) => s.notices);
  if (notices.length === 0) return <p class="muted small">{words.noNotices}</p>;
  return (
    <ul class="plain-rows" data-testid="notices">
      {notices.map((one) => (
        <NoticeRow key={one.id} one={one} steps={steps} />
      ))}
    </ul>
  );
}

function NoticeRow({ one, steps }: { one: Notice; steps: ReadonlyMap<string, string> }): JSX.Element {
  const recipients = useDesk((s) => s.recipients);
  const bad = one.state === 'dead' || one.state === 'unaddressed';
  return (
    <li data-testid={`notice-${one.id}`} data-state={one.state}>
      <span>
        <b>{casesText.role[one.recipient] ?? one.recipient}</b> <b class={bad ? 'late-word' : 'muted'}>{words.noticeState[one.state]}</b>
        {one.delivered && ` ${preciseClockOf(one.delivered)}`}
        {(one.state === 'dead' || (bad && recipients.includes(one.recipient))) && <Tool label={words.sendAgain} name={`send-again-${one.id}`} onClick={() => sendAgain(one.id)} />}
      </span>
      <span class="muted small">
        {whyWords(one.why, steps)}
        {one.attempts > 0 && ` · ${words.attempts(one.attempts)}`}
        {one.due && one.attempts > 0 && <NextAttempt due={one.due} />}
        {one.error && ` · ${one.error}`}
        {one.state === 'unaddressed' && <span class="late-word"> · {words.tellOtherwise}</span>}
      </span>
    </li>
  );
}

function NextAttempt({ due }: { due: string }): JSX.Element {
  const [before, after] = words.nextAttempt('\u0000').split('\u0000');
  return (
    <>
      {' · '}
      {before}
      <Left until={due} />
      {after}
    </>
  );
}

const stepTitles = (file: CaseFile): ReadonlyMap<string, string> => new Map(file.steps.map((step) => [step.id, step.title]));

function History({ file }: { file: CaseFile }): JSX.Element {
  const steps = stepTitles(file);
  return (
    <ol class="history" data-testid="history">
      {[...file.events].reverse().map((event) => (
        <li key={event.number}>
          <time dateTime={event.at} title={momentOf(event.at)}>
            {preciseClockOf(event.at)}
          </time>
          <span class="muted">{actorWords(event.actor)}</span>
          <span class={event.what === 'note' ? 'note' : ''}>{eventWords(event, steps)}</span>
        </li>
      ))}
    </ol>
  );
}
