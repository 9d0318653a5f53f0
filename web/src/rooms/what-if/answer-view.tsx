/** One answer: figures with and without the change, over time, and by junction. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { CityPlan, type PlanMark } from '../../desk/city-plan';
import { formatFixed, formatSigned, verdictOf } from '../../desk/figures';
import { LineChart } from '../../desk/line-chart';
import { errorSentences, formatClock, formatRealTime, formatWhole } from '../../format';
import { go } from '../../state/route';
import { useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { partsOf } from './change';
import { askProposals, forget, isOpen, store } from './store';
import { noteInWords } from './notes';
import { words } from './text';
import type { Answer, Band, PlaceDifference, WhatIf } from './types';
import { titleOf } from './title';
import { UnderWayCard } from './under-way';
import { readVerdict } from './verdict';

const text = words.answer;
const LISTED = 8;

export function AnswerView({ id }: { id: string }): JSX.Element {
  const one = store.use((s) => s.views[id]);
  if (!one) return <p class="muted">…</p>;
  return (
    <section aria-labelledby="answer-title" data-testid="what-if-answer">
      <h2 id="answer-title">{titleOf(one)}</h2>
      <Head one={one} />
      {one.error && (
        <p class="card notice error-text" role="alert">
          {errorSentences(one.error, 'what-if')}
        </p>
      )}
      {isOpen(one.state) && <UnderWayCard one={one} />}
      {one.answer && <Found one={one} answer={one.answer} />}
    </section>
  );
}

function Head({ one }: { one: WhatIf }): JSX.Element {
  const operator = useMay('operator');
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const { answer, question } = one;
  const parts = partsOf(question.change, words.change);
  const facts = [
    answer && text.span(formatClock(epoch, answer.from_s), formatClock(epoch, answer.to_s)),
    answer && text.vehicles(formatWhole(answer.vehicles)),
    answer && text.pairs(answer.pairs, question.seeds),
    answer && text.model[answer.model],
    answer && words.change.control(answer.control),
    one.case && words.caseOf(one.case),
    text.asked(formatRealTime(one.asked_at), one.by),
  ];
  return (
    <>
      {one.title && one.title !== parts.join(', ').slice(0, one.title.length) && <p>{parts.join(' · ')}</p>}
      <p class="muted small">{facts.filter(Boolean).join(' · ')}</p>
      {operator && (
        <div class="tools">
          <button type="button" class="button tight" onClick={() => go('what-if', '', { from: one.id, ...(one.case ? { case: one.case } : {}) })}>
            {text.again}
          </button>
          <button type="button" class="button tight danger" data-testid="what-if-forget" onClick={() => void forget(one.id)}>
            {isOpen(one.state) ? text.cancel : text.forget}
          </button>
        </div>
      )}
    </>
  );
}

function Found({ one, answer }: { one: WhatIf; answer: Answer }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const lines = [
    { label: text.without, look: 'look-0' },
    { label: text.with, look: 'look-1' },
  ];
  const verdict = readVerdict(answer, text.verdict);
  return (
    <>
      {verdict && (
        <p class={`lead verdict-line ${verdict.kind}`} data-testid="what-if-verdict">
          {verdict.sentence} {answer.demand_end_s != null && text.demandEnds(formatClock(epoch, answer.demand_end_s).slice(0, 5))}
        </p>
      )}
      {answer.notes.length > 0 && (
        <div class="card notice">
          <h3>{text.notes}</h3>
          <ul>
            {answer.notes.map((note) => (
              <li key={note}>{noteInWords(note)}</li>
            ))}
          </ul>
        </div>
      )}
      <Indicators answer={answer} />
      <div class="card">
        <div class="columns">
          {answer.courses.map((course) => (
            <LineChart
              key={course.name}
              title={text.courses[course.name] ?? course.name}
              timeS={course.time_s}
              formatTime={(timeS) => formatClock(epoch, timeS).slice(0, 5)}
              formatValue={(value) => formatFixed(value, Math.abs(value) < 10 && value % 1 ? 1 : 0)}
              lines={[
                { ...lines[0], ...series(course.against) },
                { ...lines[1], ...series(course.change) },
              ]}
            />
          ))}
        </div>
        <p class="muted small">{text.bands}</p>
      </div>
      <Places answer={answer} />
      <Measures one={one} />
    </>
  );
}

const series = (bands: readonly Band[]): { mean: number[]; low: (number | null)[]; high: (number | null)[] } => ({
  mean: bands.map((band) => band.mean),
  low: bands.map((band) => (band.low === null ? null : Math.max(0, band.low))), // counts: an interval may reach below, they cannot
  high: bands.map((band) => band.high),
});

function Indicators({ answer }: { answer: Answer }): JSX.Element {
  const columns = text.columns;
  return (
    <div class="card">
      <h3>{text.figures}</h3>
      <p class="muted small" data-testid="what-if-delay-means">
        {text.delayMeans}
      </p>
      <div class="scroll">
        <table data-testid="what-if-figures">
          <thead>
            <tr>
              {Object.values(columns).map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.indicators.map((row) => {
              const digits = row.unit === 'veh' ? 0 : 1;
              const reading = verdictOf(row.difference.low, row.difference.high, row.better);
              return (
                <tr key={row.name} data-testid={`figure-${row.name}`}>
                  <th scope="row">
                    {text.indicators[row.name] ?? row.name} <small>{row.unit}</small>
                  </th>
                  <td>{formatFixed(row.against.mean, digits)}</td>
                  <td>{formatFixed(row.change.mean, digits)}</td>
                  <td>{formatSigned(row.difference.mean, digits)}</td>
                  <td>{interval(row.difference, digits)}</td>
                  <td class={`verdict ${reading}`}>{text.reading[reading]}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}

export const interval = (band: Band, digits: number): string =>
  band.low === null || band.high === null ? '–' : `${formatSigned(band.low, digits)} … ${formatSigned(band.high, digits)}`;

/** A disc's class: the sign by colour, whether it is clear of chance by filling. */
function lookOf(place: PlaceDifference): string {
  const { mean, low, high } = place.difference;
  const clear = low !== null && high !== null && (low > 0 || high < 0);
  return `difference ${mean > 0 ? 'more' : 'less'} ${clear ? 'clear' : 'unclear'}`;
}

function Places({ answer }: { answer: Answer }): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const [all, setAll] = useState(false);
  const name = new Map(geometry?.junctions.map((junction) => [junction.id, junction.name || junction.id]));
  const greatest = Math.max(1e-9, ...answer.junctions.map((place) => Math.abs(place.difference.mean)));
  const reading = (place: PlaceDifference): string => text.reading[verdictOf(place.difference.low, place.difference.high, 'less')];
  const marks = answer.junctions.flatMap((place): PlanMark[] => {
    const junction = geometry?.junctions.find((found) => found.id === place.id);
    if (!junction || Math.abs(place.difference.mean) < 0.005) return [];
    const radius = 4 + 14 * Math.sqrt(Math.abs(place.difference.mean) / greatest);
    const title = text.place(name.get(place.id) ?? place.id, formatSigned(place.difference.mean, 2), reading(place));
    return [{ xM: junction.x_m, yM: junction.y_m, radius, look: lookOf(place), title }];
  });
  const rows = answer.junctions.slice(0, all ? undefined : LISTED);
  return (
    <div class="columns">
      <div class="card">
        <h3>{text.map}</h3>
        {geometry && <CityPlan geometry={geometry} label={text.map} zoomIn={words.plan.zoomIn} zoomOut={words.plan.zoomOut} marks={marks} />}
        <p class="difference-keys small">
          <span class="dot-key less" aria-hidden="true" /> {text.less} <span class="dot-key more" aria-hidden="true" /> {text.more}
        </p>
        <p class="muted small">{text.mapNote}</p>
      </div>
      <div class="card">
        <div class="scroll">
          <table data-testid="what-if-junctions">
            <thead>
              <tr>
                <th scope="col">{text.junction}</th>
                <th scope="col">
                  {text.columns.difference} <small>{text.vehH}</small>
                </th>
                <th scope="col" class="wrap">
                  {text.columns.band}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((place) => (
                <tr key={place.id}>
                  <th scope="row" class="place-name">
                    {name.get(place.id) ?? place.id}
                  </th>
                  <td class={`verdict ${verdictOf(place.difference.low, place.difference.high, 'less')}`}>{formatSigned(place.difference.mean, 2)}</td>
                  <td>{interval(place.difference, 2)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {answer.junctions.length > LISTED && (
          <button type="button" class="link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? '−' : `+ ${answer.junctions.length - LISTED}`}
          </button>
        )}
      </div>
    </div>
  );
}

function Measures({ one }: { one: WhatIf }): JSX.Element | null {
  const operator = useMay('operator');
  const closure = one.question.change.closures[0];
  if (!closure || one.state !== 'done' || !operator) return null;
  return (
    <div class="card">
      <h3>{text.proposals}</h3>
      <p class="muted small">{text.proposalsHint}</p>
      <div class="tools">
        <button type="button" class="button" data-testid="ask-proposals" onClick={() => void askProposals(closure, one.question.minutes)}>
          {text.tryProposals}
        </button>
      </div>
    </div>
  );
}
