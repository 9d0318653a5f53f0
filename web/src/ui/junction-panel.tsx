/** One junction: who controls it, what it shows, how it does, and why. */

import type { JSX } from 'preact';
import { formatTenth, formatValue, humanise, sentence } from '../format';
import { lampColour, css, PALETTES } from '../map/palette';
import { selectJunction } from '../state/actions';
import { useStore } from '../state/store';
import { text } from '../text';
import { Icon } from './icon';

export function JunctionPanel({ row }: { row: number }): JSX.Element {
  const point = useStore((s) => s.geometry)?.junctions[row];
  const detail = useStore((s) => s.detail);
  const name = detail?.name || point?.name || point?.id || '';
  const id = detail?.id ?? point?.id ?? '';
  return (
    <div data-testid="junction-panel">
      <button type="button" class="link back" onClick={() => selectJunction(null)} data-testid="junction-back">
        <Icon name="back" />
        {text.junction.back}
      </button>
      <header class="junction-title">
        <h2 data-testid="junction-name">{name}</h2>
        {id !== name && <span class="caption">{id}</span>}
      </header>
      {detail && (
        <>
          <dl class="facts">
            <Fact name={text.junction.mode} value={detail.mode === null ? text.modeUnknown : (text.mode[detail.mode] ?? detail.mode)} testid="junction-mode" />
            <Fact name={text.junction.stage} value={detail.stage === null ? text.junction.noStage : text.junction.stageOf(detail.stage)} testid="junction-stage" />
            <Fact name={text.junction.queue} value={detail.queue_veh === null ? text.indicators.unknown : `${formatTenth(detail.queue_veh)} ${text.junction.vehicles}`} testid="junction-queue" />
            <Fact name={text.junction.delay} value={detail.delay_s === null ? text.junction.unknown : `${formatTenth(detail.delay_s)} ${text.indicators.delayUnit}`} testid="junction-delay" />
          </dl>
          <p class="muted small">{text.junction.capability[detail.capability] ?? detail.capability}</p>
          <Groups />
          <Explanation explanation={detail.explanation} />
          {detail.warnings.length > 0 && (
            <section>
              <h3>{text.junction.warnings}</h3>
              <ul class="notes">
                {detail.warnings.map((warning) => (
                  <li key={warning}>{warning}</li>
                ))}
              </ul>
            </section>
          )}
        </>
      )}
    </div>
  );
}

function Fact({ name, value, testid }: { name: string; value: string; testid: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testid}>{value}</dd>
    </div>
  );
}

function Groups(): JSX.Element | null {
  const detail = useStore((s) => s.detail);
  const palette = PALETTES[useStore((s) => s.theme)];
  if (!detail) return null;
  return (
    <section>
      <h3>{text.junction.groups}</h3>
      <table class="groups" data-testid="junction-groups">
        <thead>
          <tr>
            <th scope="col">{text.junction.group}</th>
            <th scope="col">{text.junction.lamp}</th>
            <th scope="col">{text.junction.kind}</th>
          </tr>
        </thead>
        <tbody>
          {detail.groups.map((group, k) => {
            const lamp = detail.lamps[k] ?? '';
            return (
              <tr key={group.id} title={group.approach ? `${text.junction.approach}: ${group.approach}` : undefined}>
                <th scope="row">{group.id}</th>
                <td>
                  <span class="lamp" style={{ background: css(lampColour(palette, lamp.charCodeAt(0))) }} />
                  {text.lamp[lamp] ?? text.lampUnknown}
                </td>
                <td class="muted">{text.kind[group.kind] ?? group.kind}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** What the brain said: a sentence as a sentence, figures by name as a small table, the rest by name. */
function Explanation({ explanation }: { explanation: Record<string, unknown> }): JSX.Element {
  const { why, ...rest } = explanation;
  const entries = Object.entries(rest).filter(([, value]) => !isEmpty(value));
  return (
    <section data-testid="junction-explanation">
      <h3>{text.junction.explanation}</h3>
      {typeof why === 'string' && <p class="why">{sentence(why)}</p>}
      {why === undefined && entries.length === 0 && <p class="muted">{text.junction.noExplanation}</p>}
      {entries.map(([key, value]) => (
        <Part key={key} of={key} value={value} />
      ))}
    </section>
  );
}

const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0);

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function Part({ of, value }: { of: string; value: unknown }): JSX.Element {
  const name = humanise(of);
  if (!isMapping(value)) {
    return (
      <dl class="facts">
        <Fact name={name} value={formatValue(value, of)} testid={`explanation-${name}`} />
      </dl>
    );
  }
  const rows = Object.entries(value);
  const nested = rows.every(([, inner]) => isMapping(inner));
  const columns = nested ? [...new Set(rows.flatMap(([, inner]) => Object.keys(inner as object)))] : [];
  return (
    <table class="groups figures">
      <thead>
        <tr>
          <th scope="col">{name}</th>
          {nested ? columns.map((column) => <th key={column} scope="col">{humanise(column)}</th>) : <th />}
        </tr>
      </thead>
      <tbody>
        {rows.map(([key, inner]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            {nested ? (
              columns.map((column) => <td key={column}>{formatValue((inner as Record<string, unknown>)[column], column)}</td>)
            ) : (
              <td>{formatValue(inner, key)}</td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
