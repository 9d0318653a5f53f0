/** What the brain says of its choice: a sentence in the reader's language, a table of who asked, one of the stages. */

import type { JSX } from 'preact';
import type { JunctionDetail } from '../../api/types';
import { formatTenth, formatValue, formatWhole, humanise, sentence } from '../../format';
import { text } from '../../text';
import { readExplanation, type Reasons } from './model';
import { words } from './text';

export function Explanation({ detail }: { detail: JunctionDetail }): JSX.Element {
  const reasons = readExplanation(detail.explanation);
  const told = tell(reasons);
  const nothing = !told && !reasons.said && Object.keys(reasons.rest).length === 0;
  return (
    <section aria-labelledby="why-title" data-testid="junction-explanation">
      <h3 id="why-title">{words.why.title}</h3>
      {nothing && <p class="muted">{text.junction.noExplanation}</p>}
      {told && <p class="why">{told}</p>}
      {reasons.said && (
        <p class="muted small">
          {words.why.said}: <q lang="en">{sentence(reasons.said)}</q>
        </p>
      )}
      {reasons.groups.length > 0 && <Asked reasons={reasons} />}
      {(reasons.costs.length > 0 || reasons.worths.length > 0) && <Stages reasons={reasons} detail={detail} />}
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

/** The choice in words, "" where the figures do not tell it. */
function tell({ chosen, costs, worths }: Reasons): string {
  const mine = costs.find((one) => one.stage === chosen);
  if (mine) {
    const next = costs.find((one) => one.stage !== chosen);
    const first = words.why.delay(chosen, formatWhole(mine.cost));
    if (!next) return first;
    return `${first} ${words.why.instead(next.stage, formatWhole(next.cost), formatWhole(Math.max(0, next.cost - mine.cost)))}`;
  }
  const worth = worths.find((one) => one.stage === chosen);
  const other = worths.find((one) => one.stage !== chosen);
  if (worth && other) return words.why.worth(chosen, formatValue(worth.cost), other.stage, formatValue(other.cost));
  return chosen && costs.length + worths.length <= 1 ? words.why.only(chosen) : '';
}

function Asked({ reasons }: { reasons: Reasons }): JSX.Element {
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
            <th scope="row">{one.group}</th>
            <td>{say(one.demand)}</td>
            <td>{say(one.queue)}</td>
            <td class="muted">{[one.reckoned && words.why.reckoned, one.full && words.why.full].filter(Boolean).join('; ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Stages({ reasons, detail }: { reasons: Reasons; detail: JunctionDetail }): JSX.Element {
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
            <th scope="row">{one.stage}</th>
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
