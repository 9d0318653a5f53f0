/** What-ifs: those that were asked at the left; the form, an answer, a comparison or proposals at the right. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatSigned, verdictOf } from '../../desk/figures';
import { go, useRoute } from '../../state/route';
import { useMay } from '../../state/user';
import { AnswerView } from './answer-view';
import { AskForm } from './ask-form';
import { Comparison } from './comparison';
import { ProposalsPage } from './proposals-view';
import { isOpen, isProposals, refreshLists, refreshMoments, refreshView, store } from './store';
import { words } from './text';
import { titleOf } from './title';
import { timesOf } from './under-way';
import type { WhatIfBrief } from './types';
import '../../desk/desk.css';
import './what-if.css';

const COMPARE = 'compare';
const OPEN_EVERY_MS = 1200;
const CALM_EVERY_MS = 6000;

/** Ask often while something is being worked out, seldom else. */
function useFresh(item: string): void {
  const open = store.use((s) => s.briefs.some((one) => isOpen(one.state)) || s.proposalBriefs.some((one) => isOpen(one.state)));
  useEffect(() => {
    void refreshLists();
    void refreshMoments();
  }, []);
  useEffect(() => {
    if (item && item !== COMPARE) void refreshView(item);
    const timer = window.setInterval(
      () => {
        if (document.visibilityState !== 'visible') return;
        void refreshLists();
        const { views, proposals } = store.get();
        const shown = isProposals(item) ? proposals : views[item];
        if (item && item !== COMPARE && (!shown || isOpen(shown.state))) void refreshView(item);
      },
      open ? OPEN_EVERY_MS : CALM_EVERY_MS,
    );
    return () => window.clearInterval(timer);
  }, [item, open]);
}

export function WhatIfRoom(): JSX.Element {
  const item = useRoute((route) => route.item);
  const query = useRoute((route) => route.query);
  useFresh(item);
  const [chosen, setChosen] = useState<readonly string[]>(() => (query['ids'] ?? '').split(',').filter(Boolean));
  return (
    <div class="desk">
      <List item={item} chosen={chosen} onChoose={setChosen} />
      <article>
        {item === COMPARE ? (
          <Comparison ids={(query['ids'] ?? '').split(',').filter(Boolean)} />
        ) : isProposals(item) ? (
          <ProposalsPage id={item} />
        ) : item ? (
          <AnswerView key={item} id={item} />
        ) : (
          <AskForm key={JSON.stringify(query)} query={query} />
        )}
      </article>
    </div>
  );
}

interface ListProps {
  item: string;
  chosen: readonly string[];
  onChoose: (chosen: readonly string[]) => void;
}

function List({ item, chosen, onChoose }: ListProps): JSX.Element {
  const briefs = store.use((s) => s.briefs);
  const proposals = store.use((s) => s.proposalBriefs);
  const loaded = store.use((s) => s.loaded);
  const operator = useMay('operator');
  const there = chosen.filter((id) => briefs.some((one) => one.id === id));
  return (
    <aside aria-labelledby="what-if-list">
      <h2 id="what-if-list">{words.list}</h2>
      {operator && (
        <button type="button" class="button primary" data-testid="what-if-new" onClick={() => go('what-if')}>
          {words.fresh}
        </button>
      )}
      {loaded && briefs.length === 0 && <p class="muted">{words.none}</p>}
      {there.length > 1 && (
        <button type="button" class="button" data-testid="what-if-compare" onClick={() => go('what-if', COMPARE, { ids: there.join(',') })}>
          {words.compare(there.length)}
        </button>
      )}
      <ul class="desk-list" data-testid="what-if-list">
        {briefs.map((one) => (
          <li key={one.id}>
            <input
              type="checkbox"
              checked={there.includes(one.id)}
              disabled={one.mean_delay === null}
              aria-label={words.pickForCompare(titleOf(one))}
              onChange={(event) => onChoose(event.currentTarget.checked ? [...there, one.id] : there.filter((id) => id !== one.id))}
            />
            <Row brief={one} here={item === one.id} />
          </li>
        ))}
      </ul>
      {proposals.length > 0 && (
        <>
          <h2 class="over-title">{words.proposalsList}</h2>
          <ul class="desk-list plain">
            {proposals.map((one) => (
              <li key={one.id}>
                <button type="button" class="desk-row" aria-current={item === one.id} onClick={() => go('what-if', one.id)}>
                  <span class="title">{words.proposals.title(one.closure.edge)}</span>
                  <span class="under">
                    <span class={`state-word ${one.state}`}>{words.states[one.state]}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </aside>
  );
}

function Row({ brief, here }: { brief: WhatIfBrief; here: boolean }): JSX.Element {
  const delay = brief.mean_delay;
  return (
    <button type="button" class="desk-row" aria-current={here} data-testid={`what-if-${brief.id}`} onClick={() => go('what-if', brief.id)}>
      <span class="title">{titleOf(brief)}</span>
      <span class="under">
        <span class={`state-word ${brief.state}`}>{words.states[brief.state]}</span>
        {delay && <span class={`verdict ${verdictOf(delay.low, delay.high, 'less')}`}>{words.seconds(formatSigned(delay.mean, 1))}</span>}
        {brief.case && <span>{words.caseOf(brief.case)}</span>}
      </span>
      {isOpen(brief.state) && <progress max={1} value={brief.progress} aria-label={words.answer.progress} />}
      {isOpen(brief.state) && <span class="under">{timesOf(brief)}</span>}
    </button>
  );
}
