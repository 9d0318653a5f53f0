/** Measures that were tried about a closure, best first, to accept or decline. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatSigned } from '../../desk/figures';
import { errorSentences, formatWhole } from '../../format';
import { useMay } from '../../state/user';
import { ReasonDialog } from '../../ui/dialog';
import { interval } from './answer-view';
import { decide, isOpen, store } from './store';
import { words } from './text';
import { UnderWayCard } from './under-way';
import type { Decision, Proposal, ProposalsView } from './types';

const text = words.proposals;

export function ProposalsPage({ id }: { id: string }): JSX.Element {
  const one = store.use((s) => s.proposals);
  if (one?.id !== id) return <p class="muted">…</p>;
  return (
    <section aria-labelledby="proposals-title" data-testid="proposals">
      <h2 id="proposals-title">{text.title(one.closure.edge)}</h2>
      <p class="muted small">{text.trying}</p>
      {one.error && (
        <p class="card notice error-text" role="alert">
          {errorSentences(one.error, 'what-if')}
        </p>
      )}
      {isOpen(one.state) && <UnderWayCard one={one} />}
      {one.found && <p>{text.users(one.found.users)}</p>}
      {one.found?.proposals.length === 0 && <p class="muted">{text.noneFound}</p>}
      {one.found?.proposals.map((proposal, index) => (
        <Card key={index} view={one} proposal={proposal} index={index} />
      ))}
    </section>
  );
}

function Card({ view, proposal, index }: { view: ProposalsView; proposal: Proposal; index: number }): JSX.Element {
  const operator = useMay('operator');
  const [asking, setAsking] = useState<boolean | null>(null);
  const decision: Decision | undefined = view.decisions.filter((one) => one.index === index).at(-1);
  const band = interval(proposal.time_spent_veh_h, 1);
  const what =
    proposal.kind === 'detour'
      ? text.detour(proposal.leave_edge, proposal.back_edge, formatWhole(100 * proposal.share), formatWhole(proposal.extra_s))
      : text.gating(proposal.held_junctions.join(', '));
  return (
    <div class="card" data-testid={`proposal-${index}`}>
      <h3>{text.kinds[proposal.kind]}</h3>
      <p>{what}</p>
      <p>
        {text.effect(formatSigned(proposal.time_spent_veh_h.mean, 1), band === '–' ? '' : band)}, {text.delay(formatSigned(proposal.mean_delay_s.mean, 1))}
      </p>
      <p class={`verdict ${proposal.advisable ? 'better' : 'open'}`}>{proposal.advisable ? text.advisable : text.notAdvisable}</p>
      {decision && <p class="small">{(decision.accepted ? text.accepted : text.declined)(decision.by, decision.reason)}</p>}
      {operator && (
        <div class="tools">
          <button type="button" class="button tight" aria-pressed={decision?.accepted === true} onClick={() => setAsking(true)}>
            {text.accept}
          </button>
          <button type="button" class="button tight" aria-pressed={decision?.accepted === false} onClick={() => setAsking(false)}>
            {text.decline}
          </button>
        </div>
      )}
      {asking !== null && (
        <ReasonDialog
          title={asking ? text.acceptTitle : text.declineTitle}
          explain={text.explain}
          needed
          onCancel={() => setAsking(null)}
          onConfirm={(reason) => {
            setAsking(null);
            void decide(view.id, index, asking, reason);
          }}
        />
      )}
    </div>
  );
}
