/** What a study found in one scenario: gains and losses alike, with their intervals. */

import type { JSX } from 'preact';
import { formatFixed, formatSigned } from '../../desk/figures';
import { IntervalChart } from '../../desk/interval-chart';
import { LineChart } from '../../desk/line-chart';
import { failureInWords } from './failures';
import { ALARMING, controlsOf, EVENTS, lossesOf, rowsOf } from './reading';
import { words } from './text';
import type { Figure, ScenarioResult } from './types';

const text = words.result;
const CLAIM_SEEDS = 10;
const LOOKS = 6;
const clock = (timeS: number): string => `${Math.floor(timeS / 3600)}:${String(Math.floor(timeS / 60) % 60).padStart(2, '0')}`;
const interval = (pair: [number, number] | null, digits: number): string => (pair ? `${formatSigned(pair[0], digits)} … ${formatSigned(pair[1], digits)}` : '–');
const nameOf = (metric: string): string => text.metrics[metric] ?? metric;

export function ResultView({ result }: { result: ScenarioResult }): JSX.Element {
  const controls = controlsOf(result);
  const look = (control: string): string => `look-${controls.indexOf(control) % LOOKS}`;
  const delays = result.figures.filter((figure) => figure.metric === 'mean_delay_s');
  return (
    <section aria-labelledby={`result-${result.scenario}`} data-testid="study-result">
      <h2 id={`result-${result.scenario}`} class="scenario-title">
        {result.scenario}
      </h2>
      <Headline result={result} delays={delays} />
      <Warnings result={result} />
      <Losses result={result} />
      <div class="card">
        <IntervalChart
          title={text.delayPlot(result.baseline)}
          formatValue={(value) => formatSigned(value, Math.abs(value) % 1 ? 1 : 0)}
          rows={delays.flatMap((one) =>
            one.difference === null
              ? []
              : [
                  {
                    label: one.control,
                    look: look(one.control),
                    mean: one.difference,
                    low: one.difference_ci95?.[0] ?? null,
                    high: one.difference_ci95?.[1] ?? null,
                    text: `${formatSigned(one.difference, 1)} · ${text.reading[one.verdict]}`,
                  },
                ],
          )}
        />
      </div>
      <Figures result={result} controls={controls} />
      {result.queues.length > 0 && (
        <div class="card queue-chart">
          <LineChart
            title={text.queuePlot}
            timeS={result.queues[0].time_s}
            formatTime={clock}
            formatValue={(value) => formatFixed(value, 0)}
            lines={[...result.queues].sort((a, b) => controls.indexOf(a.control) - controls.indexOf(b.control)).map((curve) => ({ label: curve.control, look: look(curve.control), mean: curve.mean, low: curve.low, high: curve.high }))}
          />
        </div>
      )}
      <Events result={result} controls={controls} />
      <How result={result} />
    </section>
  );
}

/** Said in the reader's language, from the figures; the report has it in English. */
function Headline({ result, delays }: { result: ScenarioResult; delays: readonly Figure[] }): JSX.Element | null {
  const theirs = delays.find((one) => one.control === result.baseline)?.mean;
  const others = delays.filter((one) => one.difference !== null && one.mean !== null);
  const best = [...others].sort((a, b) => (a.mean ?? 0) - (b.mean ?? 0))[0];
  if (!best || best.mean === null || best.difference === null || theirs == null) return null;
  return (
    <p class="lead" data-testid="headline">
      {text.headline(best.control, formatFixed(best.mean, 1), result.baseline, formatFixed(theirs, 1), formatSigned(best.difference, 1))}{' '}
      <span class={`verdict ${best.verdict}`}>{text.reading[best.verdict]}</span>
      {best.difference_ci95 && <span class="muted"> (95 %: {interval(best.difference_ci95, 1)})</span>}
    </p>
  );
}

function Warnings({ result }: { result: ScenarioResult }): JSX.Element | null {
  const alarms = result.events.flatMap((events) =>
    EVENTS.filter((name) => ALARMING.includes(name) && events[name] > 0).map((name) => text.alarming(events.control, text.eventNames[name], formatFixed(events[name], 0))),
  );
  const notes = [
    ...(result.claim ? [] : [text.few(result.seeds.length, CLAIM_SEEDS)]),
    ...(result.sensing === 'oracle' ? [text.oracle] : []),
    ...(result.mesoscopic ? [text.meso] : []),
    ...alarms,
    ...result.failures.map((failure) => text.failure(failureInWords(failure))),
  ];
  if (notes.length === 0) return null;
  return (
    <div class="card notice">
      <h3>{text.read}</h3>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </div>
  );
}

function Losses({ result }: { result: ScenarioResult }): JSX.Element {
  const losses = lossesOf(result);
  return (
    <div class="card" data-testid="losses">
      <h3>{text.losses}</h3>
      {losses.length === 0 ? (
        <p class="muted">{text.noLosses}</p>
      ) : (
        <ul>
          {losses.map((one) => (
            <li key={`${one.control} ${one.metric}`}>
              {text.loss(one.control, nameOf(one.metric), formatSigned(one.difference ?? 0, one.digits), one.unit, interval(one.difference_ci95, one.digits))}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Figures({ result, controls }: { result: ScenarioResult; controls: readonly string[] }): JSX.Element {
  return (
    <div class="card">
      <h3>{text.figures}</h3>
      <p class="muted small">{text.figuresNote(result.baseline)}</p>
      <div class="scroll">
        <table data-testid="study-figures">
          <thead>
            <tr>
              <th scope="col">{text.metric}</th>
              {controls.map((control) => (
                <th key={control} scope="col">
                  {control}
                  {control === result.baseline && <small>{text.baseline}</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rowsOf(result).map((row) => (
              <tr key={row.metric}>
                <th scope="row">
                  {nameOf(row.metric)} <small>{row.unit}</small>
                </th>
                {row.cells.map((cell, k) => (
                  <FigureCell key={controls[k]} cell={cell} digits={row.digits} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function FigureCell({ cell, digits }: { cell: Figure | null; digits: number }): JSX.Element {
  if (!cell || cell.mean === null) return <td>–</td>;
  return (
    <td>
      {formatFixed(cell.mean, digits)}
      {cell.difference !== null && (
        <>
          <small>
            {formatSigned(cell.difference, digits)} [{interval(cell.difference_ci95, digits)}]
          </small>
          <small class={`verdict ${cell.verdict}`}>{text.reading[cell.verdict]}</small>
        </>
      )}
    </td>
  );
}

function Events({ result, controls }: { result: ScenarioResult; controls: readonly string[] }): JSX.Element {
  const of = (control: string, name: (typeof EVENTS)[number]): number => result.events.find((one) => one.control === control)?.[name] ?? 0;
  return (
    <div class="card">
      <h3>{text.events}</h3>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col" />
              {controls.map((control) => (
                <th key={control} scope="col">
                  {control}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {EVENTS.map((name) => (
              <tr key={name}>
                <th scope="row">{text.eventNames[name]}</th>
                {controls.map((control) => (
                  <td key={control} class={of(control, name) > 0 && ALARMING.includes(name) ? 'failed' : ''}>
                    {formatFixed(of(control, name), 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function How({ result }: { result: ScenarioResult }): JSX.Element {
  const facts = [
    [text.window, `${clock(result.begin_s)} – ${clock(result.end_s)} (${result.begin_s} s – ${result.end_s} s)`],
    [text.seeds, result.seeds.join(', ')],
    [text.sensing, `${words.form.sensings[result.sensing] ?? result.sensing}, ${formatFixed(100 * result.coverage, 0)} %`],
    [text.versions, `Civic Brain ${result.civicbrain_version}, SUMO ${result.sumo_version}`],
    [text.city, result.city_hash.slice(0, 16)],
    ...result.controls.map((control) => [control.name, [control.summary, control.source].filter(Boolean).join(' – ')]),
  ];
  return (
    <div class="card">
      <h3>{text.how}</h3>
      <dl class="how">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
