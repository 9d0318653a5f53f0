/** Studies: those that were run at the left; the form, one under way, or what it found at the right. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { formatLeft } from '../../desk/figures';
import { formatRealTime } from '../../format';
import { go, useRoute } from '../../state/route';
import { useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { OrderForm } from './order-form';
import { isOpen, refreshList, refreshView, store } from './store';
import { StudyPage } from './study-page';
import { words } from './text';
import type { StudyBrief } from './types';
import '../../desk/desk.css';
import './proof.css';

const FRESH = 'new';
const OPEN_EVERY_MS = 2000;
const CALM_EVERY_MS = 8000;

function useFresh(item: string): void {
  const open = store.use((s) => s.briefs.some((one) => isOpen(one.state)));
  useEffect(() => {
    void refreshList();
    if (item && item !== FRESH) void refreshView(item);
    const timer = window.setInterval(
      () => {
        if (document.visibilityState !== 'visible') return;
        void refreshList();
        const { view } = store.get();
        if (item && item !== FRESH && (view?.brief.id !== item || isOpen(view.brief.state))) void refreshView(item);
      },
      open ? OPEN_EVERY_MS : CALM_EVERY_MS,
    );
    return () => window.clearInterval(timer);
  }, [item, open]);
}

export function ProofRoom(): JSX.Element {
  const item = useRoute((route) => route.item);
  const query = useRoute((route) => route.query);
  const engineer = useMay('engineer');
  useFresh(item);
  return (
    <div class="desk">
      <List item={item} engineer={engineer} />
      <article>{item === FRESH && engineer ? <OrderForm caseId={query['case'] ?? ''} /> : item && item !== FRESH ? <StudyPage key={item} id={item} /> : <Welcome engineer={engineer} />}</article>
    </div>
  );
}

function Welcome({ engineer }: { engineer: boolean }): JSX.Element {
  const text = words.welcome;
  const none = store.use((s) => s.loaded && s.briefs.length === 0);
  const city = useStore((s) => s.city?.name ?? 'CITY');
  return (
    <section aria-labelledby="proof-title">
      <h2 id="proof-title">{text.title}</h2>
      <p class="lead">{text.body}</p>
      <p>{none ? text.none : text.choose}</p>
      {!engineer && (
        <div class="card notice" data-testid="needs-engineer">
          <p>{text.needsEngineer}</p>
          <p class="muted small">{text.byHand(city)}</p>
        </div>
      )}
    </section>
  );
}

function List({ item, engineer }: { item: string; engineer: boolean }): JSX.Element {
  const briefs = store.use((s) => s.briefs);
  const loaded = store.use((s) => s.loaded);
  return (
    <aside aria-labelledby="study-list-title">
      <h2 id="study-list-title">{words.list}</h2>
      {engineer && (
        <button type="button" class="button primary" data-testid="study-new" onClick={() => go('proof', FRESH)}>
          {words.fresh}
        </button>
      )}
      {loaded && briefs.length === 0 && <p class="muted">{words.none}</p>}
      <ul class="desk-list plain" data-testid="study-list">
        {briefs.map((one) => (
          <li key={one.id}>
            <Row brief={one} here={one.id === item} />
          </li>
        ))}
      </ul>
    </aside>
  );
}

function Row({ brief, here }: { brief: StudyBrief; here: boolean }): JSX.Element {
  return (
    <button type="button" class="desk-row" aria-current={here} data-testid={`study-${brief.id}`} onClick={() => go('proof', brief.id)}>
      <span class="title">{brief.title}</span>
      <span class="under">
        <span class={`state-word ${brief.state}`}>{words.states[brief.state]}</span>
        {brief.ordered_at ? <span>{formatRealTime(brief.ordered_at)}</span> : <span>{words.byHand}</span>}
        {brief.runs_total > 0 && isOpen(brief.state) && <span>{words.runs(brief.runs_done, brief.runs_total)}</span>}
        {brief.left_s !== null && <span>{formatLeft(brief.left_s, words.left)}</span>}
        {brief.case && <span>{words.caseOf(brief.case)}</span>}
      </span>
      {brief.state === 'running' && <progress max={Math.max(1, brief.runs_total)} value={brief.runs_done} aria-label={words.view.progress} />}
    </button>
  );
}
