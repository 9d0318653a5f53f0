/** Lines over the city's time, each with its band. */

import type { JSX } from 'preact';
import { clockTicks, niceTicks } from './scale';

export interface ChartLine {
  label: string;
  /** A class: its colour, and its dashes, so that colour is not the only sign. */
  look: string;
  mean: readonly number[];
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
}
interface LineChartProps {
  title: string;
  timeS: readonly number[];
  lines: readonly ChartLine[];
  formatTime: (timeS: number) => string;
  formatValue: (value: number) => string;
  /** Differences: 0 is marked, and the axis reaches below it. */
  signed?: boolean;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [400, 190, 48, 10, 10, 26];
/** Half a clock's width and a little: nearer to the right edge it would be cut. */
const LABEL = 26;

export function LineChart({ title, timeS, lines, formatTime, formatValue, signed = false }: LineChartProps): JSX.Element | null {
  if (timeS.length === 0) return null;
  const values = lines.flatMap((line) => [...line.mean, ...(line.low ?? []), ...(line.high ?? [])]).filter((value) => value !== null);
  const ticks = niceTicks(signed ? Math.min(0, ...values) : 0, Math.max(signed ? 0 : 1e-6, ...values), 4);
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const [begin, end] = [timeS[0], timeS[timeS.length - 1]];
  const x = (at: number): number => LEFT + ((at - begin) / (end - begin || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => TOP + ((high - value) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const line = (series: readonly number[]): string => series.map((value, k) => `${k ? 'L' : 'M'}${x(timeS[k]).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const band = ({ low: from, high: to, mean }: ChartLine): string => {
    if (!from || !to || from.some((value) => value === null)) return '';
    const there = mean.map((_, k) => `${x(timeS[k]).toFixed(1)} ${y(to[k] as number).toFixed(1)}`);
    const back = mean.map((_, k) => `${x(timeS[k]).toFixed(1)} ${y(from[k] as number).toFixed(1)}`).reverse();
    return `M${[...there, ...back].join('L')}Z`;
  };
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line class={signed && tick === 0 ? 'zero' : 'grid'} x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={LEFT - 7} y={y(tick) + 4} text-anchor="end">
              {formatValue(tick)}
            </text>
          </g>
        ))}
        {clockTicks(begin, end, 5).map((tick) => (
          <text key={tick} class="tick" x={x(tick)} y={HEIGHT - 8} text-anchor={x(tick) > WIDTH - LABEL ? 'end' : 'middle'}>
            {formatTime(tick)}
          </text>
        ))}
        {lines.map((one) => (
          <path key={`band ${one.label}`} class={`band ${one.look}`} d={band(one)} />
        ))}
        {lines.map((one) => (
          <path key={one.label} class={`line ${one.look}`} d={line(one.mean)} />
        ))}
      </svg>
      <Keys lines={lines} />
    </figure>
  );
}

export function Keys({ lines }: { lines: readonly { label: string; look: string }[] }): JSX.Element {
  return (
    <ul class="chart-keys">
      {lines.map((one) => (
        <li key={one.label}>
          <svg viewBox="0 0 26 8" width="26" height="8" aria-hidden="true">
            <path class={`line ${one.look}`} d="M1 4H25" />
          </svg>
          {one.label}
        </li>
      ))}
    </ul>
  );
}
