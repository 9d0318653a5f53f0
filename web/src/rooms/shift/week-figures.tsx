/** How well a week went: how soon things were seen and handled, what was false, what did not work. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Quality, Times } from '../../api/case-types';
import { casesApi } from '../../api/cases';
import { formatDuration, formatRealMoment, formatRealTime, formatTenth, formatWhole, zoneOf } from '../../format';
import { complain } from '../../state/actions';
import { go, useRoute } from '../../state/route';
import { text } from '../../text';
import { casesText } from '../cases/text';
import { momentOf } from '../cases/words';
import { BarChart, Sparkline, TimesBar } from './charts';
import { Part } from './note';
import { shiftText } from './text';
import { weekAfter, weekOf } from './weeks';

const words = shiftText.week;
const BEFORE = 5;
const PHASES = ['detection', 'to_triage', 'to_assignment', 'to_scene', 'to_closed'] as const;
/** More than this in an hour is more than one operator can follow (ISA-18.2). */
const MOST_ALARMS_AN_HOUR = 12;

export function WeekFigures(): JSX.Element {
  const week = useRoute((route) => route.query['week'] ?? '') || weekOf(Date.now());
  const [found, setFound] = useState<Quality | null>(null);
  const [before, setBefore] = useState<readonly Quality[]>([]);
  useEffect(() => {
    let gone = false;
    setBefore([]);
    void (async () => {
      try {
        const now = await casesApi.quality(week);
        if (gone) return;
        setFound(now);
        const earlier: Quality[] = [];
        for (let k = BEFORE; k > 0 && !gone; k--) earlier.push(await casesApi.quality(weekAfter(week, -k)));
        if (!gone) setBefore(earlier);
      } catch (error) {
        complain(error);
      }
    })();
    return () => void (gone = true);
  }, [week]);
  const walk = (weeks: number): void => go('shift', 'week', { week: weekAfter(week, weeks) });
  return (
    <article class="note" data-testid="week-figures">
      <header class="page-head">
        <div>
          <h2>{words.title(week)}</h2>
          {found && <p class="muted">{words.span(momentOf(found.start), momentOf(found.end), zoneOf(new Date(found.start)))}</p>}
        </div>
        <div class="tools no-print">
          <button type="button" class="button" data-testid="week-before" onClick={() => walk(-1)}>
            {words.before}
          </button>
          <button type="button" class="button" disabled={week >= weekOf(Date.now())} onClick={() => walk(1)}>
            {words.after}
          </button>
          <button type="button" class="button" onClick={() => window.print()}>
            {shiftText.print}
          </button>
        </div>
      </header>
      {found ? <Figures of={found} before={before} /> : <p class="muted">{shiftText.loading}</p>}
    </article>
  );
}

const opened = (of: Quality): number => of.kinds.reduce((sum, kind) => sum + kind.opened, 0);
const falseAlarms = (of: Quality): number => of.kinds.reduce((sum, kind) => sum + kind.false_alarms, 0);
const duration = (seconds: number | null): string => (seconds === null ? words.unknown : formatDuration(seconds));

function Figures({ of, before }: { of: Quality; before: readonly Quality[] }): JSX.Element {
  const trend = (figure: (one: Quality) => number | null): (number | null)[] => (before.length ? [...before.map(figure), figure(of)] : []);
  const times = (one: Times): string => (one.p90_s === null ? '' : words.p90(formatDuration(one.p90_s)));
  const days = of.days.map((day) => new Intl.DateTimeFormat(text.locale, { weekday: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(day.day)));
  return (
    <>
      <dl class="week-tiles" aria-label={words.trend}>
        <Tile name={words.cases} value={formatWhole(opened(of))} trend={trend(opened)} />
        <Tile name={words.falseAlarms} value={formatWhole(falseAlarms(of))} hint={words.ofCases(formatWhole(opened(of)))} trend={trend(falseAlarms)} />
        <Tile name={words.late} value={formatWhole(of.deadlines_missed)} trend={trend((one) => one.deadlines_missed)} />
        <Tile name={words.escalations} value={formatWhole(of.escalations)} trend={trend((one) => one.escalations)} />
        <Tile
          name={words.alarmsHour}
          value={formatTenth(of.alarms_an_hour)}
          bad={of.alarms_an_hour > MOST_ALARMS_AN_HOUR}
          hint={words.alarmsHint}
          trend={trend((one) => one.alarms_an_hour)}
        />
        <Tile name={words.flood} value={formatWhole(of.flood_minutes)} bad={of.flood_minutes > 0} trend={trend((one) => one.flood_minutes)} />
        <Tile name={words.acknowledge} value={duration(of.acknowledge.median_s)} hint={times(of.acknowledge)} trend={trend((one) => one.acknowledge.median_s)} />
        <Tile name={words.notices} value={words.ofCount(formatWhole(of.notices_delivered), formatWhole(of.notices))} bad={of.notices_dead > 0} trend={trend((one) => one.notices_delivered)} />
        <Tile name={words.delivery} value={duration(of.delivery.median_s)} hint={times(of.delivery)} trend={trend((one) => one.delivery.median_s)} />
        <Tile name={words.outage} value={duration(of.outage_s)} bad={of.outage_s > 0} trend={trend((one) => one.outage_s)} />
      </dl>
      {before.length > 0 && <p class="muted small">{words.trendNote(before.length)}</p>}
      <Part title={words.days}>
        <div class="charts">
          <BarChart
            title={words.chartCases}
            labels={days}
            series={[
              { name: words.opened, tone: 'one', values: of.days.map((day) => day.opened) },
              { name: words.closed, tone: 'two', values: of.days.map((day) => day.closed) },
            ]}
          />
          <BarChart title={words.chartAlarms} labels={days} series={[{ name: words.alarms, tone: 'one', values: of.days.map((day) => day.alarms) }]} />
        </div>
      </Part>
      <Part title={words.kinds}>{of.kinds.length ? <Kinds of={of} /> : <p class="muted">{words.none}</p>}</Part>
      <Part title={words.outages}>{of.outages.length ? <Outages of={of} /> : <p class="muted">{words.none}</p>}</Part>
    </>
  );
}

interface TileProps {
  name: string;
  value: string;
  hint?: string;
  bad?: boolean;
  trend: readonly (number | null)[];
}

const Tile = ({ name, value, hint = '', bad = false, trend }: TileProps): JSX.Element => (
  <div class={bad ? 'bad' : ''} title={hint || undefined}>
    <dt>{name}</dt>
    <dd>
      <strong>{value}</strong>
      {hint && <small class="muted">{hint}</small>}
      <Sparkline values={trend} label={`${name}, ${words.trend}`} />
    </dd>
  </div>
);

function Kinds({ of }: { of: Quality }): JSX.Element {
  const columns = words.columns;
  const topS = Math.max(1, ...of.kinds.flatMap((kind) => PHASES.map((phase) => kind[phase].p90_s ?? 0)));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={words.kinds}>
      <table class="note-table figures-table">
        <thead>
          <tr>
            {[columns.kind, columns.opened, columns.closed, columns.false, columns.duplicates, columns.people].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {PHASES.map((phase) => (
              <th key={phase} scope="col" class="times-head">
                {words.phases[phase]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.kinds.map((kind) => (
            <tr key={kind.kind}>
              <th scope="row">{casesText.kind[kind.kind]}</th>
              {[kind.opened, kind.closed, kind.false_alarms, kind.duplicates, kind.reported_by_people].map((value, k) => (
                <td key={k} class="number">
                  {formatWhole(value)}
                </td>
              ))}
              {PHASES.map((phase) => (
                <td key={phase}>
                  <TimesBar times={kind[phase]} topS={topS} unknown={words.unknown} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small">{words.phasesHint}</p>
    </div>
  );
}

const Outages = ({ of }: { of: Quality }): JSX.Element => (
  <ul class="plain-rows">
    {of.outages.map((one) => (
      <li key={one.what + one.start}>
        <b>{one.what}</b>
        <span class="muted">
          {one.end ? words.from(formatRealMoment(one.start), formatRealTime(one.end)) : words.from(formatRealTime(one.start), words.lasts)}, {duration(one.duration_s)}
        </span>
      </li>
    ))}
  </ul>
);
