/** The corridor in figures, and its stop lines as a table: all that the diagram shows, for who does not see it. */

import type { JSX } from 'preact';
import { formatClock, formatDistance, formatSpeed, formatTenth, formatWhole } from '../../format';
import { useStore } from '../../state/store';
import type { CorridorWay, Diagram } from './api';
import { corridorText as text } from './text';

const MOST_STARTS = 3;

const seconds = (value: number | null): string => (value === null ? text.unknown : text.seconds(formatTenth(value)));
const share = (value: number | null): string => (value === null ? text.unknown : text.percent(formatWhole(100 * value)));

const waysOf = (diagram: Diagram): [string, CorridorWay][] => {
  const ways: [string, CorridorWay][] = [['forward', diagram.forward]];
  if (diagram.back) ways.push(['back', diagram.back]);
  return ways;
};

const endOf = (way: CorridorWay): string => {
  const last = way.stops.at(-1);
  return text.forward(last?.name || last?.junction || '');
};

/** Why a direction has no figures, "" where it has. */
export function whyNone({ bandwidth_s: bandwidth, stops }: Pick<CorridorWay, 'bandwidth_s' | 'stops'>): string {
  if (bandwidth !== null) return '';
  const still = stops.filter((stop) => stop.cycle_s === null).map((stop) => stop.name || stop.junction);
  return still.length ? text.noCycle(still.join(', ')) : text.notAtOnce;
}

export function Figures({ diagram }: { diagram: Diagram }): JSX.Element {
  const rows: [string, string, (way: CorridorWay) => string][] = [
    ['bandwidth', text.bandwidth, (way) => seconds(way.bandwidth_s)],
    ['efficiency', text.efficiency, (way) => share(way.efficiency)],
    ['attainability', text.attainability, (way) => share(way.attainability)],
    ['cycle', text.cycle, (way) => seconds(way.cycle_s)],
    ['bands', text.bandCount, (way) => formatWhole(way.bands.length)],
    ['progression', text.progression, (way) => formatSpeed(way.progression_mps)],
    ['length', text.length, (way) => formatDistance(way.length_m)],
  ];
  const ways = waysOf(diagram);
  return (
    <section aria-labelledby="corridor-figures">
      <h3 id="corridor-figures">{text.figures}</h3>
      <table class="corridor-table" data-testid="corridor-figures">
        <thead>
          <tr>
            <th scope="col">{text.direction}</th>
            {ways.map(([name, way]) => (
              <th key={name} scope="col" title={endOf(way)}>{endOf(way)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([id, label, of]) => (
            <tr key={id}>
              <th scope="row">{label}</th>
              {ways.map(([name, way]) => (
                <td key={name} data-testid={`corridor-${name}-${id}`}>{of(way)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {ways.map(([name, way]) => {
        const why = whyNone(way);
        return (
          why && (
            <p key={name} class="small" data-testid={`corridor-${name}-why`}>
              {endOf(way)}: {why}
            </p>
          )
        );
      })}
      <p class="muted small">{text.source}</p>
    </section>
  );
}

export function StopTable({ diagram }: { diagram: Diagram }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  return (
    <section aria-labelledby="corridor-stops">
      <h3 id="corridor-stops">{text.table}</h3>
      {waysOf(diagram).map(([name, way]) => (
        <table key={name} class="corridor-table" data-testid={`corridor-stops-${name}`}>
          <caption>{endOf(way)}</caption>
          <thead>
            <tr>
              {Object.entries(text.columns).map(([id, label]) => (
                <th key={id} scope="col">{label}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {way.stops.map((stop) => (
              <tr key={stop.junction}>
                <th scope="row" title={stop.junction}>{stop.name || stop.junction}</th>
                <td>{formatDistance(stop.distance_m)}</td>
                <td>{seconds(stop.travel_s)}</td>
                <td>{share(stop.green_share)}</td>
                <td>{seconds(stop.cycle_s)}</td>
                <td>
                  {stop.signals
                    .filter((one) => one.state === 'green')
                    .slice(-MOST_STARTS)
                    .map((one) => formatClock(epoch, one.start_s))
                    .join(', ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </section>
  );
}

/** What the marks mean. */
export function Keys({ diagram }: { diagram: Diagram }): JSX.Element {
  const keys: [string, string][] = [
    ['green', text.states.green],
    ['yellow', text.states.yellow],
    ['red', text.states.red],
    ['band-forward', text.keys.bandForward],
    ...(diagram.back ? ([['band-back', text.keys.bandBack]] as [string, string][]) : []),
    ['track', text.keys.track],
    ['bus', text.keys.bus],
    ['emergency', text.keys.emergency],
  ];
  return (
    <ul class="corridor-keys" aria-label={text.legend}>
      {keys.map(([name, label]) => (
        <li key={name}>
          <span class={`key ${name}`} aria-hidden="true" />
          {label}
        </li>
      ))}
    </ul>
  );
}
