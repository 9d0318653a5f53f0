/** The city drawn on its own, without what moves: to choose a section on, and to show figures by junction. */

import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { CityGeometry } from '../api/types';
import { USE } from '../map/geometry';

export interface PlanMark {
  xM: number;
  yM: number;
  /** Pixels. */
  radius: number;
  /** A class of the caller's style. */
  look: string;
  title: string;
}
export interface PlanLine {
  /** x, y, x, y, … in city metres. */
  points: readonly number[];
  look: string;
}
interface View {
  x: number;
  y: number;
  width: number;
}
interface CityPlanProps {
  geometry: CityGeometry;
  label: string;
  zoomIn: string;
  zoomOut: string;
  marks?: readonly PlanMark[];
  lines?: readonly PlanLine[];
  /** City metres where the view begins, instead of the whole city. */
  near?: readonly [number, number] | undefined;
  /** A click, in city metres, and how many metres a pixel is. */
  onPoint?: (xM: number, yM: number, metresPerPixel: number) => void;
}

const RATIO = 0.62;
const LEAST_WIDTH_M = 120;
const NEAR_WIDTH_M = 500;
const MARGIN = 1.06;
const STEP = 1.5;
const CLICK_PX = 4;

const pathOf = (points: readonly number[]): string => {
  let path = '';
  for (let k = 0; k + 1 < points.length; k += 2) path += `${k ? 'L' : 'M'}${points[k].toFixed(1)} ${(-points[k + 1]).toFixed(1)}`;
  return path;
};

/** Streets as one path: thousands of elements would be slow. */
function streetsPath(geometry: CityGeometry): string {
  const wheels = USE.motor | USE.bus | USE.tram;
  return geometry.lanes.points.map((line, row) => (geometry.lanes.use[row] & wheels && line.length >= 4 ? pathOf(line) : '')).join('');
}

function wholeCity([minX, minY, maxX, maxY]: CityGeometry['bounds_m']): View {
  const width = Math.max(maxX - minX, (maxY - minY) / RATIO, LEAST_WIDTH_M) * MARGIN;
  return { x: (minX + maxX - width) / 2, y: (-minY - maxY - width * RATIO) / 2, width };
}

function around([x, y]: readonly [number, number], whole: View): View {
  const width = Math.min(NEAR_WIDTH_M, whole.width);
  return { x: x - width / 2, y: -y - (width * RATIO) / 2, width };
}

export function CityPlan({ geometry, label, zoomIn, zoomOut, marks = [], lines = [], near, onPoint }: CityPlanProps): JSX.Element {
  const whole = useMemo(() => wholeCity(geometry.bounds_m), [geometry]);
  const streets = useMemo(() => streetsPath(geometry), [geometry]);
  const [view, setView] = useState(() => (near ? around(near, whole) : whole));
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<{ x: number; y: number; from: View; moved: boolean } | null>(null);
  const pixels = svg.current?.clientWidth || 640;
  const unit = view.width / pixels; // metres a pixel
  const zoom = (factor: number, share: [number, number] = [0.5, 0.5]): void => {
    setView((old) => {
      const width = Math.min(whole.width, Math.max(LEAST_WIDTH_M, old.width / factor));
      const gone = old.width - width;
      return { x: old.x + gone * share[0], y: old.y + gone * RATIO * share[1], width };
    });
  };
  const shareOf = (event: MouseEvent): [number, number] => {
    const box = (svg.current as SVGSVGElement).getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const up = (event: PointerEvent): void => {
    const held = drag.current;
    drag.current = null;
    if (!held || held.moved || !onPoint) return;
    const [across, down] = shareOf(event);
    onPoint(view.x + across * view.width, -(view.y + down * view.width * RATIO), unit);
  };
  return (
    <div class="city-plan">
      <svg
        ref={svg}
        viewBox={`${view.x} ${view.y} ${view.width} ${view.width * RATIO}`}
        role="img"
        aria-label={label}
        class={onPoint ? 'choosing' : ''}
        data-testid="city-plan"
        onWheel={(event) => {
          event.preventDefault();
          zoom(event.deltaY < 0 ? 1.25 : 0.8, shareOf(event));
        }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, from: view, moved: false };
        }}
        onPointerMove={(event) => {
          const held = drag.current;
          if (!held || !event.buttons) return;
          const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
          held.moved ||= Math.hypot(dx, dy) > CLICK_PX;
          if (held.moved) setView({ ...held.from, x: held.from.x - dx * unit, y: held.from.y - dy * unit });
        }}
        onPointerUp={up}
      >
        <path class="plan-street" d={streets} stroke-width={Math.max(2.6, unit * 1.1)} />
        {lines.map((line) => (
          <path key={line.look} class={line.look} d={pathOf(line.points)} stroke-width={Math.max(6, unit * 4.5)} />
        ))}
        {marks.map((mark) => (
          <circle key={mark.title} class={mark.look} cx={mark.xM} cy={-mark.yM} r={mark.radius * unit} stroke-width={1.2 * unit}>
            <title>{mark.title}</title>
          </circle>
        ))}
      </svg>
      <div class="plan-zoom">
        <button type="button" class="button tight" aria-label={zoomIn} title={zoomIn} onClick={() => zoom(STEP)}>
          +
        </button>
        <button type="button" class="button tight" aria-label={zoomOut} title={zoomOut} onClick={() => zoom(1 / STEP)}>
          −
        </button>
      </div>
    </div>
  );
}
