/** Why this stage: who has the junction and what is shown, then the brain's wish, who asked, and the stages. */

import type { JSX } from 'preact';
import type { JunctionDetail } from '../../api/types';
import { formatClock, formatDuration, formatTenth, formatValue, formatWhole, humanise, sentence } from '../../format';
import { deciderWords } from '../../ledger/sentence';
import { useStore } from '../../state/store';
import { text } from '../../text';
import { accountOf, type Account } from './account';
import { readExplanation, type Reasons } from './model';
import { groupFrom, useStageName, type StageName } from './naming';
import { junctionStore } from './store';
import { words } from './text';

export function Explanation({ detail }: { detail: JunctionDetail }): JSX.Element {
  const recent = junctionStore.use((s) => s.recent);
  const name = useStageName(detail);
  const reasons = readExplanation(detail.explanation);
  const account = accountOf(detail, recent, reasons.chosen);
  const told = [tellAccount(account, detail, name), reasons.chosen && tellWish(account, reasons, detail, name)].filter(Boolean);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const forWhom = tellVehicle(reasons, epoch, name);
  const figures = tell(reasons, name);
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

/** What is shown, and by whom: first, because the lamps can be seen. */
function tellAccount(account: Account, detail: JunctionDetail, name: StageName): string {
  const now = detail.stage === null ? words.why.now.between : name(detail.stage);
  const say = words.why.now;
  switch (account.by) {
    case 'override': {
      const { action, stage, actor, reason } = account.override;
      if (action === 'local') return say.local(actor, reason);
      if (detail.stage !== stage) return say.coming(now, name(stage), actor, reason);
      return say[action](now, actor, reason);
    }
    case 'local':
      return say.own(now);
    case 'mission':
      return detail.stage === account.stage ? say.mission(now, account.who) : say.missionComing(now, name(account.stage), account.who);
    case 'priority':
      return say.priority(now, deciderWords(account.who));
    case 'brain':
      return account.shows === 'chosen' ? say.brain(now) : '';
    default:
      return '';
  }
}

/** What the brain wants, where that is not what is shown. */
function tellWish(account: Account, { chosen }: Reasons, detail: JunctionDetail, name: StageName): string {
  if (account.by !== 'brain') return chosen === detail.stage ? words.why.wouldToo : words.why.would(name(chosen));
  if (account.shows === 'chosen') return '';
  return account.shows === 'between' ? words.why.changing(name(chosen)) : words.why.next(name(detail.stage ?? ''), name(chosen));
}

/** The bus or emergency vehicle that it is for, and when that is expected. */
function tellVehicle({ bus, mission }: Reasons, epoch: string, name: StageName): string {
  const vehicle = words.why.vehicle;
  if (bus) return vehicle.bus(bus.line, formatDuration(bus.behindS), vehicle.gets[bus.kind] ?? vehicle.getsOther, formatClock(epoch, bus.arrivalS));
  return mission ? vehicle.mission(mission.id, name(mission.stage), formatClock(epoch, mission.arrivalS)) : '';
}

/** The figures behind the brain's choice in words, "" where they do not tell it. */
function tell({ chosen, costs, worths }: Reasons, name: StageName): string {
  const mine = costs.find((one) => one.stage === chosen);
  if (mine) {
    const next = costs.find((one) => one.stage !== chosen);
    const first = words.why.delay(name(chosen), formatWhole(mine.cost));
    if (!next) return first;
    return `${first} ${words.why.instead(name(next.stage), formatWhole(next.cost), formatWhole(Math.max(0, next.cost - mine.cost)))}`;
  }
  const worth = worths.find((one) => one.stage === chosen);
  const other = worths.find((one) => one.stage !== chosen);
  if (worth && other) return words.why.worth(name(chosen), formatValue(worth.cost), name(other.stage), formatValue(other.cost));
  return chosen && costs.length + worths.length <= 1 ? words.why.only(name(chosen)) : '';
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
