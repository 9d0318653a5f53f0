/** Why this stage: who has the junction and what is shown, then the brain's wish, who asked, and the stages. */

import type { JSX } from 'preact';
import type { JunctionDetail } from '../../api/types';
import { formatClock, formatTenth, formatValue, humanise, sentence } from '../../format';
import { callSign } from '../../now/held-for';
import { useStore } from '../../state/store';
import { text } from '../../text';
import { accountOf } from './account';
import { readExplanation, type Reasons } from './model';
import { groupFrom, useStageName, type StageName } from './naming';
import { junctionStore } from './store';
import { words } from './text';
import { FRESH_S, tellAccount, tellFigures, tellVehicle, tellWish, type Around } from './why';

export function Explanation({ detail }: { detail: JunctionDetail }): JSX.Element {
  const recent = junctionStore.use((s) => s.recent);
  const name = useStageName(detail);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const geometry = useStore((s) => s.geometry);
  const nowS = useStore((s) => s.snapshot?.time_s ?? 0);
  const around: Around = { name, epoch, nowS, geometry };
  const reasons = readExplanation(detail.explanation);
  const account = accountOf(detail, recent, reasons.chosen);
  const told = [tellAccount(account, detail, around), tellWish(account, reasons, detail, around)].filter(Boolean);
  const forWhom = tellVehicle(reasons, around, callSign);
  const figures = tellFigures(reasons, name);
  const old = detail.explained_s !== null && nowS - detail.explained_s > FRESH_S && Object.keys(detail.explanation).length > 0;
  const nothing = told.length === 0 && !figures && !forWhom && !reasons.said && Object.keys(reasons.rest).length === 0;
  return (
    <section aria-labelledby="why-title" data-testid="junction-explanation">
      <h3 id="why-title">{words.why.title}</h3>
      {nothing && <p class="muted">{text.junction.noExplanation}</p>}
      {told.map((line, k) => (
        <p key={k} class={k ? 'why would' : 'why'} data-testid={k ? 'why-would' : 'why-now'}>
          {line}
        </p>
      ))}
      {old && account.by !== 'override' && <p class="muted small">{words.why.asOf(formatClock(epoch, detail.explained_s ?? 0))}</p>}
      {forWhom && <p data-testid="why-vehicle">{forWhom}</p>}
      {figures && <p class="small">{figures}</p>}
      {reasons.said && !figures && !forWhom && account.by === 'brain' && (
        <p class="muted small">
          {words.why.said}: <q lang="en">{sentence(reasons.said)}</q>
        </p>
      )}
      {reasons.groups.length > 0 && <Asked reasons={reasons} detail={detail} />}
      {(reasons.costs.length > 0 || reasons.worths.length > 0) && <Stages reasons={reasons} detail={detail} name={name} />}
      {Object.entries(reasons.rest).length > 0 && (
        <dl class="facts">
          {Object.entries(reasons.rest).map(([key, value]) => (
            <div key={key}>
              <dt>{humanise(key)}</dt>
              <dd>{formatValue(value, key)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Asked({ reasons, detail }: { reasons: Reasons; detail: JunctionDetail }): JSX.Element {
  const plan = junctionStore.use((s) => s.plan);
  const from = (group: string): string => groupFrom(plan, detail.groups.findIndex((one) => one.id === group));
  const say = (value: number | null): string => (value === null ? text.indicators.unknown : formatTenth(value));
  return (
    <table class="groups figures" data-testid="explanation-groups">
      <thead>
        <tr>
          <th scope="col">{words.why.group}</th>
          <th scope="col">{words.why.asks}</th>
          <th scope="col">{words.why.queue}</th>
          <th scope="col">{words.why.notes}</th>
        </tr>
      </thead>
      <tbody>
        {reasons.groups.map((one) => (
          <tr key={one.group}>
            <th scope="row">
              {one.group} <small class="muted">{from(one.group)}</small>
            </th>
            <td>{say(one.demand)}</td>
            <td>{say(one.queue)}</td>
            <td class="muted">{[one.reckoned && words.why.reckoned, one.full && words.why.full].filter(Boolean).join('; ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Stages({ reasons, detail, name }: { reasons: Reasons; detail: JunctionDetail; name: StageName }): JSX.Element {
  const byDelay = reasons.costs.length > 0;
  const rows = byDelay ? reasons.costs.map((one) => ({ ...one, spanS: null })) : reasons.worths;
  return (
    <table class="groups figures" data-testid="explanation-stages">
      <thead>
        <tr>
          <th scope="col">{words.why.stage}</th>
          <th scope="col">{byDelay ? words.why.cost : words.why.worthColumn}</th>
          {!byDelay && <th scope="col">{words.why.span}</th>}
          <th scope="col" />
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.stage}>
            <th scope="row">{name(one.stage)}</th>
            <td>{formatValue(one.cost)}</td>
            {one.spanS !== null && <td>{formatTenth(one.spanS)}</td>}
            <td class="muted">
              {[one.stage === reasons.chosen && words.why.chosen, one.stage === detail.stage && words.why.shown].filter(Boolean).join(', ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
