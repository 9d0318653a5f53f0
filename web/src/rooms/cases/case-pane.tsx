/** The lower half of the room: open cases. */

import type { JSX } from 'preact';
import type { CaseSummary } from '../../api/case-types';
import { MOST_CASES } from '../../api/cases';
import { formatWhole } from '../../format';
import { go } from '../../state/route';
import { useMay } from '../../state/user';
import { CASE_LIST, choice, useChoice } from './choice';
import { ListBox } from './list-box';
import { Due, Urgency } from './marks';
import { keepChosen } from './model';
import { useDesk } from './store';
import { casesText } from './text';
import { actorWords, placeWords } from './words';

const words = casesText.cases;
const ROW_PX = 56;
const NONE: CaseSummary[] = [];

export function CasePane({ first }: { first: boolean }): JSX.Element {
  const listed = useDesk((s) => s.cases);
  const count = useDesk((s) => s.openCount);
  const operator = useMay('operator');
  const [chosen, place] = useChoice<string>('case');
  const cases = listed ?? NONE;
  const key = keepChosen(cases.map((one) => one.id), chosen, place);
  const row = cases.findIndex((one) => one.id === key);
  return (
    <section class="cases-pane" aria-labelledby="cases-heading">
      <header class="pane-head">
        <h2 id="cases-heading">{words.title}</h2>
        {count > 0 && <span class="caption">{formatWhole(count)}</span>}
        <span class="spacer" />
        <button type="button" class="button tight" disabled={!operator} data-testid="new-report" onClick={() => go('cases', 'new')}>
          {words.report}
          <kbd aria-hidden="true">N</kbd>
        </button>
      </header>
      {listed && cases.length === 0 ? (
        <p class="muted pane-empty">{words.none}</p>
      ) : (
        <>
          {!listed && <p class="muted pane-empty">{casesText.loading}</p>}
          <ListBox
            id={CASE_LIST}
            label={words.label}
            count={cases.length}
            rowPx={ROW_PX}
            chosen={row}
            keyOf={(at) => cases[at]?.id}
            render={(at) => (cases[at] ? <CaseRow one={cases[at]} /> : null)}
            onChoose={(at) => choice.set('case', cases[at]?.id ?? null, at)}
            onOpen={(at) => cases[at] && go('cases', cases[at].id)}
            opensOnClick
            onFocus={() => choice.enter('cases')}
            first={first}
          />
        </>
      )}
      {count > MOST_CASES && <p class="muted small pane-empty">{words.more(formatWhole(count - cases.length))}</p>}
    </section>
  );
}

function CaseRow({ one }: { one: CaseSummary }): JSX.Element {
  return (
    <div class={`case-row ${one.late ? 'late' : ''}`} data-testid={`row-${one.id}`}>
      <Urgency level={one.urgency} />
      <span class="what">
        <b>{casesText.kind[one.kind] ?? one.title}</b> {placeWords(one.place)}
      </span>
      <span class="case-state">{casesText.state[one.state]}</span>
      <span class="second muted">
        {one.id}
        {one.assigned_to && ` ${words.assigned(actorWords(one.assigned_to))}`}
        {one.incidents > 0 && !one.still_there && ` · ${words.over}`}
        {one.late && <b class="late-word"> · {words.late}</b>}
      </span>
      <Due due={one.deadline} hint={casesText.file.stateDue(casesText.state[one.state])} />
    </div>
  );
}
