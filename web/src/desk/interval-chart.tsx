/** One row a control: its mean, its 95 % interval as whiskers, and 0 marked. */

import type { JSX } from 'preact';
import { niceTicks } from './scale';

export interface IntervalRow {
  label: string;
  look: string;
  mean: number;
  low: number | null;
  high: number | null;
  text: string;
}

const [WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM] = [720, 130, 150, 34, 6, 26];

export function IntervalChart({ title, rows, formatValue }: { title: string; rows: readonly IntervalRow[]; formatValue: (value: number) => string }): JSX.Element | null {
  if (rows.length === 0) return null;
  const values = rows.flatMap((row) => [row.mean, row.low ?? row.mean, row.high ?? row.mean]);
  const ticks = niceTicks(Math.min(0, ...values), Math.max(0, ...values), 6);
  const [low, high] = [ticks[0], ticks[ticks.length - 1]];
  const bottom = TOP + ROW * rows.length;
  const x = (value: number): number => LEFT + ((value - low) / (high - low || 1)) * (WIDTH - LEFT - RIGHT);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${bottom + BOTTOM}`} role="img" aria-label={title}>
        {ticks.map((tick) => (
          <g key={tick}>
            <line class={tick === 0 ? 'zero' : 'grid'} x1={x(tick)} x2={x(tick)} y1={TOP} y2={bottom} />
            <text class="tick" x={x(tick)} y={bottom + 17} text-anchor="middle">
              {formatValue(tick)}
            </text>
          </g>
        ))}
        {rows.map((row, k) => {
          const y = TOP + ROW * (k + 0.5);
          const whisker = row.low !== null && row.high !== null ? `M${x(row.low)} ${y}H${x(row.high)}M${x(row.low)} ${y - 6}v12M${x(row.high)} ${y - 6}v12` : '';
          return (
            <g key={row.label}>
              <text class="row-label" x={LEFT - 12} y={y + 4} text-anchor="end">
                {row.label}
              </text>
              <path class={`line whisker ${row.look}`} d={whisker} />
              <circle class={`dot ${row.look}`} cx={x(row.mean)} cy={y} r="5.5" />
              <text class="row-value" x={WIDTH - RIGHT + 14} y={y + 4}>
                {row.text}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}
