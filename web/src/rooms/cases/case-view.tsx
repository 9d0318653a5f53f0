/** One case: where it stands, what may follow, its procedure, and everything that belongs to it. */

import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { CASE_STATES, type CaseFile } from '../../api/case-types';
import { formatClock, formatDuration, formatTenth, formatWhole } from '../../format';
import { go } from '../../state/route';
import { useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { Icon } from '../../ui/icon';
import * as act from './actions';
import { Tool } from './alarm-pane';
import { Attachments } from './case-attachments';
import { CaseSteps, STEP_LIST } from './case-steps';
import { choice } from './choice';
import { handKeyTo, useKeys } from './keys';
import { Due, Since, TimesKind, Urgency } from './marks';
import { forward, holding, movesInOrder, notConfirmed, passedBy } from './model';
import { useDesk } from './store';
import { casesText } from './text';
import { actorWords, clockOf, minutesOf, momentOf, placeWords } from './words';

const words = casesText.file;
const CASE_ID = /^case-\d+$/;

export function CaseView({ id }: { id: string }): JSX.Element {
  const file = useDesk((s) => s.file);
  const missing = useDesk((s) => s.missing === id) || !CASE_ID.test(id);
  const shown = file?.case.id === id ? file : null;
  const back = (): void => {
    choice.set('case', id, 0);
    choice.enter('cases');
    go('cases');
  };
  useKeys({ Escape: back });
  return (
    <article class="case-view" data-testid="case-view" data-state={shown?.case.state}>
      <button type="button" class="link back" data-testid="cases-back" onClick={back}>
        <Icon name="back" />
        {words.back}
      </button>
      {shown ? <Shown file={shown} /> : missing ? <p role="status">{casesText.noCase(id)}</p> : <p class="muted">{casesText.loading}</p>}
    </article>
  );
}

function Shown({ file }: { file: CaseFile }): JSX.Element {
  const one = file.case;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => act.showOnMap(file), [one.id]);
  useLayoutEffect(() => {
    const list = document.getElementById(STEP_LIST);
    (list ?? title.current)?.focus({ preventScroll: true });
  }, [one.id]);
  useKeys({
    m: () => act.moveOn(file),
    c: () => act.closeCase(file),
    w: () => act.writeNote(file),
    g: () => act.assign(file),
    h: () => act.handOver(file),
    e: () => act.showEvidence(file),
    f: () => act.showOnMap(file),
    ...Object.fromEntries(['j', 'k', 'x', 'o', ' ', 'ArrowDown', 'ArrowUp'].map((key) => [key, () => handKeyTo(STEP_LIST, key)])),
  });
  return (
    <>
      <header class="case-head">
        <h2 ref={title} tabIndex={-1}>
          {casesText.kind[one.kind] ?? one.title} <span class="muted">{one.id}</span>
        </h2>
        <Urgency level={one.urgency} />
        {one.state !== 'closed' && <Due due={one.deadline} what={casesText.state[one.state]} hint={words.stateDue(casesText.state[one.state])} />}
      </header>
      <p class="where">
        {placeWords(one.place)}
        <button type="button" class="link" data-testid="do-map" onClick={() => act.showOnMap(file)}>
          <Icon name="target" />
          {words.show}
        </button>
      </p>
      <StateLine file={file} />
      <NotConfirmed file={file} />
      {one.merged_into && (
        <button type="button" class="link" onClick={() => go('cases', one.merged_into)}>
          {words.mergedInto(one.merged_into)}
        </button>
      )}
      {file.merged.length > 0 && <p class="muted small">{words.mergedFrom(file.merged.join(', '))}</p>}
      <Moves file={file} />
      <TimesKind />
      <Facts file={file} />
      <CaseSteps file={file} />
      <Attachments file={file} />
    </>
  );
}

/** Who reported is silent and no sensor sees the place: a person decides. */
function NotConfirmed({ file }: { file: CaseFile }): JSX.Element | null {
  const said = notConfirmed(file);
  if (!said) return null;
  return (
    <p class="held small" role="status" data-testid="not-confirmed">
      {words.notConfirmed(minutesOf(said.detail['after_s']))}
    </p>
  );
}

/** reception → … → closed, with where it stands and since when. */
function StateLine({ file }: { file: CaseFile }): JSX.Element {
  const { state, state_since, outcome } = file.case;
  const at = CASE_STATES.indexOf(state);
  const passed = passedBy(file);
  return (
    <ol class="state-line" aria-label={words.line}>
      {CASE_STATES.map((name, k) => (
        <li key={name} class={passed.includes(name) ? 'passed-by' : k < at ? 'past' : k === at ? 'here' : ''} aria-current={k === at ? 'step' : undefined}>
          <i aria-hidden="true" />
          <b>{casesText.state[name]}</b>
          {passed.includes(name) && <small class="muted">{words.passedBy}</small>}
          {k === at && (
            <small class="muted">
              {state === 'closed' ? (outcome ? casesText.outcome[outcome] : clockOf(state_since)) : <Since from={state_since} />}
            </small>
          )}
        </li>
      ))}
    </ol>
  );
}

function Moves({ file }: { file: CaseFile }): JSX.Element {
  const operator = useMay('operator');
  const { state } = file.case;
  const onward = forward(state, file.moves);
  const held = holding(file)[0];
  const label = (to: (typeof file.moves)[number]): string => {
    if (to === 'closed') return words.close;
    if (state === 'closed') return words.reopen;
    const name = casesText.state[to];
    return CASE_STATES.indexOf(to) > CASE_STATES.indexOf(state) ? words.moveTo(name) : words.back_to(name);
  };
  return (
    <>
      <div class="tools moves">
        {movesInOrder(state, file.moves).map((to) => (
          <button
            key={to}
            type="button"
            class={`button tight ${to === onward ? 'primary' : ''}`}
            disabled={!operator}
            data-testid={`move-${to}`}
            onClick={() => act.move(file, to)}
          >
            {label(to)}
            {to === onward ? <kbd aria-hidden="true">M</kbd> : to === 'closed' && <kbd aria-hidden="true">C</kbd>}
          </button>
        ))}
        {state !== 'closed' && (
          <>
            <Tool label={words.assign} name="assign" letter="G" onClick={() => act.assign(file)} />
            <Tool label={words.handOver} name="hand-over" letter="H" onClick={() => act.handOver(file)} />
            <Tool label={words.setUrgency} name="urgency" onClick={() => act.setUrgency(file)} />
            <Tool label={words.merge} name="merge" onClick={() => act.merge(file)} />
          </>
        )}
      </div>
      {held && <p class="held small">{words.held(held.title)}</p>}
    </>
  );
}

function Facts({ file }: { file: CaseFile }): JSX.Element {
  const one = file.case;
  const percent = (share: number): string => `${formatWhole(100 * share)} %`;
  return (
    <dl class="case-facts">
      <Fact name={words.opened}>
        <time dateTime={one.opened} title={momentOf(one.opened)}>
          {clockOf(one.opened)}
        </time>
      </Fact>
      <Fact name={words.assignedTo}>{one.assigned_to || words.nobody}</Fact>
      <Fact name={words.holder}>{one.holder ? actorWords(one.holder) : words.nobody}</Fact>
      <Fact name={words.confidence}>
        <meter min={0} max={1} value={one.confidence} aria-label={words.confidence} /> {percent(one.confidence)}
      </Fact>
      <Fact name={words.capacity}>{one.capacity_left === null ? words.unknown : percent(one.capacity_left)}</Fact>
      <Fact name={words.delay}>{file.delay_veh_h > 0 ? `${formatTenth(file.delay_veh_h)} ${words.delayUnit}` : words.unknown}</Fact>
      <Fact name={words.clears}>
        {file.clears_s === null ? words.unknown : <Clears at_s={file.clears_s} />}
      </Fact>
      <Fact name={words.seen}>{casesText.cases.words(one.incidents, one.reports)}</Fact>
    </dl>
  );
}

/** An event of the street: by the city's clock, in the city's minutes. */
function Clears({ at_s }: { at_s: number }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const nowS = useStore((s) => Math.floor(s.timeS));
  return (
    <span title={words.clearsHint} data-testid="clears">
      {formatClock(epoch, at_s).slice(0, 5)}
      {at_s > nowS && ` (${words.clearsIn(formatDuration(at_s - nowS))})`}
    </span>
  );
}

const Fact = ({ name, children }: { name: string; children: JSX.Element | string | (JSX.Element | string)[] }): JSX.Element => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
