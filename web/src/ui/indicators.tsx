/** The strip: now, beside the fixed plan's figure for the same minute. Better or worse is said in words. */

import type { JSX } from 'preact';
import type { Indicators as Figures, Known } from '../api/types';
import { compare, formatTenth, formatWhole, type Direction } from '../format';
import { useStore } from '../state/store';
import { text } from '../text';

interface TileSpec {
  id: string;
  label: string;
  unit: string;
  now: (figures: Figures) => Known;
  fixed: (figures: Figures) => Known;
  goodWhen: Direction;
  decimals: 0 | 1;
}

const TILES: TileSpec[] = [
  {
    id: 'vehicles',
    label: text.indicators.vehicles,
    unit: text.indicators.vehiclesUnit,
    now: (f) => f.vehicles,
    fixed: (f) => f.fixed_vehicles,
    goodWhen: 'lower',
    decimals: 0,
  },
  {
    id: 'delay',
    label: text.indicators.delay,
    unit: text.indicators.delayUnit,
    now: (f) => f.mean_delay_s,
    fixed: (f) => f.fixed_mean_delay_s,
    goodWhen: 'lower',
    decimals: 1,
  },
  {
    id: 'throughput',
    label: text.indicators.throughput,
    unit: text.indicators.throughputUnit,
    now: (f) => f.throughput_veh_per_h,
    fixed: (f) => f.fixed_throughput_veh_per_h,
    goodWhen: 'higher',
    decimals: 0,
  },
];

export function Indicators(): JSX.Element {
  const lost = useStore((s) => s.snapshotLost || (s.snapshot?.stale ?? false));
  return (
    <section class={`strip ${lost ? 'lost' : ''}`} aria-label={text.indicators.label} data-testid="indicators">
      {TILES.map((tile) => (
        <Tile key={tile.id} spec={tile} />
      ))}
    </section>
  );
}

function Tile({ spec }: { spec: TileSpec }): JSX.Element {
  const figures = useStore((s) => s.snapshot?.indicators ?? null);
  const progress = useStore((s) => s.snapshot?.baseline_progress ?? 0);
  const format = spec.decimals ? formatTenth : formatWhole;
  const now = figures ? spec.now(figures) : null;
  const fixed = figures ? spec.fixed(figures) : null;
  return (
    <div class="tile" data-testid={`indicator-${spec.id}`}>
      <h2>{spec.label}</h2>
      <p class="figure">
        <strong data-testid={`${spec.id}-now`}>{now === null ? text.indicators.unknown : format(now)}</strong>
        {spec.unit && <span class="unit">{spec.unit}</span>}
      </p>
      <p class="against" data-testid={`${spec.id}-against`}>
        {figures && <Against now={now} fixed={fixed} progress={progress} spec={spec} format={format} />}
      </p>
    </div>
  );
}

interface AgainstProps {
  now: Known;
  fixed: Known;
  progress: number;
  spec: TileSpec;
  format: (value: number) => string;
}

function Against({ now, fixed, progress, spec, format }: AgainstProps): JSX.Element {
  if (fixed === null) {
    if (progress >= 1) return <span class="muted">{text.indicators.noMinute}</span>;
    return (
      <span class="comparing" title={text.indicators.comparingHint}>
        {text.indicators.comparing(`${Math.floor(progress * 100)} %`)}
        <progress max={1} value={progress} aria-label={text.indicators.comparingHint} />
      </span>
    );
  }
  const reference = <span class="muted">{text.indicators.fixed(format(fixed))}</span>;
  if (now === null) return reference;
  const { kind, difference } = compare(now, fixed, spec.goodWhen, spec.decimals);
  const word = kind === 'same' ? text.indicators.same : kind === 'better' ? text.indicators.better : text.indicators.worse;
  return (
    <>
      {reference}
      <span class={`verdict ${kind}`}>
        {kind !== 'same' && <b>{difference}</b>} {word}
      </span>
    </>
  );
}
