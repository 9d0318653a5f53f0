/** The few charts of a week, as SVG. Each figure also stands in words beside or in its chart. */

import type { JSX } from 'preact';
import type { Times } from '../../api/case-types';
import { formatDuration, formatWhole } from '../../format';
import { text } from '../../text';
import { niceTop, sparkline } from './weeks';

export interface Series {
  name: string;
  /** Part of a class: its colour, and for a second one its hatching. */
  tone: 'one' | 'two';
  values: readonly number[];
}

/** 10K, 1만, 1万: what an axis has room for. */
const compact = new Intl.NumberFormat(text.locale, { notation: 'compact' });
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [420, 156, 34, 22, 16];

/** Bars side by side, one group for each label. */
export function BarChart({ title, labels, series }: { title: string; labels: readonly string[]; series: readonly Series[] }): JSX.Element {
  const top = niceTop(series.flatMap((one) => [...one.values]));
  const step = (WIDTH - LEFT) / labels.length;
  const bar = Math.min(26, (step * 0.7) / series.length);
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const said = series.map((one) => `${one.name}: ${one.values.map((value, k) => `${labels[k]} ${formatWhole(value)}`).join(', ')}`).join('. ');
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {series.length > 1 &&
          series.map((one) => (
            <span key={one.name} class={`series ${one.tone}`}>
              <i aria-hidden="true" />
              {one.name}
            </span>
          ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}. ${said}`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share} class="grid-line">
            <line x1={LEFT} x2={WIDTH} y1={y(top * share)} y2={y(top * share)} />
            <text x={LEFT - 6} y={y(top * share) + 4} text-anchor="end">
              {Number.isInteger(top * share) ? compact.format(top * share) : ''}
            </text>
          </g>
        ))}
        {labels.map((label, k) => (
          <g key={label}>
            {series.map((one, s) => {
              const x = LEFT + step * (k + 0.5) + bar * (s - series.length / 2);
              const value = one.values[k] ?? 0;
              return (
                <g key={one.name}>
                  <rect class={`bar-of ${one.tone}`} x={x + 1} width={bar - 2} y={y(value)} height={Math.max(0, y(0) - y(value))} />
                  {value > 0 && (
                    <text class="value" x={x + bar / 2} y={y(value) - 3} text-anchor="middle">
                      {formatWhole(value)}
                    </text>
                  )}
                </g>
              );
            })}
            <text class="label" x={LEFT + step * (k + 0.5)} y={HEIGHT - 6} text-anchor="middle">
              {label}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}

/** Median as a bar, the 90th percentile as a line to its right; on one scale with its neighbours. */
export function TimesBar({ times, topS, unknown }: { times: Times; topS: number; unknown: string }): JSX.Element {
  if (times.median_s === null || times.p90_s === null) return <span class="muted">{unknown}</span>;
  const x = (seconds: number): number => Math.min(100, (seconds / topS) * 100);
  return (
    <span class="times">
      <span>
        {formatDuration(times.median_s)} <small class="muted">{formatDuration(times.p90_s)}</small>
      </span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="bar-of one" x="0" y="1" width={x(times.median_s)} height="6" />
        <line x1={x(times.median_s)} x2={x(times.p90_s)} y1="4" y2="4" />
      </svg>
    </span>
  );
}

/** The weeks before as a line; its last point is this week. */
export function Sparkline({ values, label }: { values: readonly (number | null)[]; label: string }): JSX.Element | null {
  if (values.filter((value) => value !== null).length < 2) return null;
  return (
    <svg class="sparkline" viewBox="-2 -2 104 26" preserveAspectRatio="none" role="img" aria-label={`${label}: ${values.map((v) => (v === null ? '–' : formatWhole(v))).join(', ')}`}>
      {sparkline(values, 100, 22).map((points) => (
        <polyline key={points} points={points} />
      ))}
    </svg>
  );
}
