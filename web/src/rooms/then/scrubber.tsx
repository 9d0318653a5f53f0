/** The window from end to end: three figures, what is recorded, what happened, and the moment that is shown. */

import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { formatClock, formatTenth, formatWhole } from '../../format';
import { useStore } from '../../state/store';
import type { Mark } from './api';
import { CHARTS, describeMark, lineOf, markGroup, valueAt } from './model';
import type { Player } from './player';
import { getThen, junctionName, spansOf, useThen } from './store';
import { thenText as text } from './text';

const CHART_H = 26;
const MARKS_H = 16;
const MARK_REACH_PX = 7;
const HEIGHT = CHARTS.length * CHART_H + MARKS_H;

export function Scrubber({ player }: { player: Player }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const [fromS, toS] = [useThen((s) => s.fromS), useThen((s) => s.toS)];
  const atS = useThen((s) => s.atS);
  const track = useRef<HTMLDivElement>(null);
  const share = toS > fromS ? (atS - fromS) / (toS - fromS) : 0;
  const [pointed, setPointed] = useState<number | null>(null);
  /** The moment under the pointer: a mark's own, where it lies on one. */
  const under = (event: PointerEvent): number | null => {
    const box = track.current?.getBoundingClientRect();
    if (!box || box.width <= 0) return null;
    const timeS = fromS + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (toS - fromS);
    const reachS = (MARK_REACH_PX / box.width) * (toS - fromS);
    const onMarks = event.clientY > box.bottom - MARKS_H;
    const mark = onMarks && getThen().strip?.marks.find((one) => Math.abs(one.time_s - timeS) <= reachS);
    return mark ? mark.time_s : timeS;
  };
  const seek = (event: PointerEvent): void => {
    const timeS = under(event);
    if (timeS !== null) player.seek(timeS);
  };
  return (
    <div class="then-scrubber">
      <Legend />
      <div class="then-window-box">
        <div
          ref={track}
          class="then-track"
          role="slider"
          tabIndex={0}
          aria-label={text.moment}
          aria-valuemin={Math.round(fromS)}
          aria-valuemax={Math.round(toS)}
          aria-valuenow={Math.round(atS)}
          aria-valuetext={formatClock(epoch, atS)}
          data-testid="then-track"
          style={{ height: `${HEIGHT}px` }}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            seek(event);
          }}
          onPointerLeave={() => setPointed(null)}
          onPointerMove={(event) => {
            setPointed(under(event));
            if (event.currentTarget.hasPointerCapture(event.pointerId)) seek(event);
          }}
          onPointerUp={() => player.address()}
        >
          <Charts />
          <Marks />
          {pointed !== null && (
            <span class="then-pointed" style={{ left: `${(100 * (pointed - fromS)) / Math.max(1, toS - fromS)}%` }} aria-hidden="true">
              {formatClock(epoch, pointed)}
            </span>
          )}
          <span class="then-cursor" style={{ left: `${100 * share}%` }} />
        </div>
        <div class="then-ends">
          <time>{formatClock(epoch, fromS)}</time>
          <time>{formatClock(epoch, (fromS + toS) / 2)}</time>
          <time>{formatClock(epoch, toS)}</time>
        </div>
      </div>
    </div>
  );
}

function Legend(): JSX.Element {
  const strip = useThen((s) => s.strip);
  const atS = useThen((s) => Math.floor(s.atS));
  return (
    <dl class="then-legend">
      {CHARTS.map((name) => {
        const value = strip ? valueAt(strip, name, atS) : null;
        return (
          <div key={name} style={{ height: `${CHART_H}px` }}>
            <dt>{text.series[name]}</dt>
            <dd>
              {value === null ? '–' : name === 'delay_s' ? formatTenth(value) : formatWhole(value)} <small>{text.units[name]}</small>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Charts(): JSX.Element {
  const strip = useThen((s) => s.strip);
  const replay = useThen((s) => s.replay);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const [fromS, toS] = [useThen((s) => s.fromS), useThen((s) => s.toS)];
  const lines = useMemo(() => CHARTS.map((name) => (strip ? lineOf(strip[name]) : null)), [strip]);
  const spans = spansOf(replay, epoch);
  const x = (timeS: number): number => (timeS - fromS) / Math.max(1, toS - fromS);
  return (
    <svg class="then-charts" viewBox="0 0 1 1" preserveAspectRatio="none" role="img" aria-label={text.charts}>
      {spans
        .filter(([start, end]) => end > fromS && start < toS)
        .map(([start, end]) => (
          <rect key={start} class="kept" x={Math.max(0, x(start))} width={Math.min(1, x(end)) - Math.max(0, x(start))} y={0} height={1} />
        ))}
      {lines.map((line, k) => (
        <g key={CHARTS[k]} transform={`translate(0 ${(k * CHART_H + 3) / HEIGHT}) scale(1 ${(CHART_H - 5) / HEIGHT})`}>
          <path class="base" d="M0 1H1" />
          {line && <path class={`line ${CHARTS[k]}`} d={line.path} />}
        </g>
      ))}
    </svg>
  );
}

const NONE: Mark[] = [];

function Marks(): JSX.Element {
  const marks = useThen((s) => s.strip?.marks ?? NONE);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const [fromS, toS] = [useThen((s) => s.fromS), useThen((s) => s.toS)];
  return (
    <>
      {marks.map((mark, k) => (
        <span
          key={k}
          class={`then-mark ${markGroup(mark)}`}
          style={{ left: `${(100 * (mark.time_s - fromS)) / Math.max(1, toS - fromS)}%` }}
          title={`${formatClock(epoch, mark.time_s)} ${describeMark(mark, junctionName)}`}
          data-testid={`then-mark-${mark.kind}`}
        />
      ))}
    </>
  );
}
