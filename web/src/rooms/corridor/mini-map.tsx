/** The city in small: the corridor is shown, and its ends are chosen by clicks on junctions. */

import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useStore } from '../../state/store';
import { nearestJunction } from '../then/model';
import { coloursOf } from './draw';

const WIDTH = 296;
const HEIGHT = 210;
const MARGIN = 10;
const REACH_PX = 14;

interface Props {
  /** Ids along the corridor, in order. */
  chain: readonly string[];
  from: string;
  to: string;
  label: string;
  onPick: (junction: string) => void;
}

export function MiniMap({ chain, from, to, label, onPick }: Props): JSX.Element | null {
  const geometry = useStore((s) => s.geometry);
  const theme = useStore((s) => s.theme);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = useMemo(() => {
    if (!geometry) return null;
    const [minX, minY, maxX, maxY] = geometry.bounds_m;
    const factor = Math.min((WIDTH - 2 * MARGIN) / Math.max(1, maxX - minX), (HEIGHT - 2 * MARGIN) / Math.max(1, maxY - minY));
    return { factor, x: (m: number) => WIDTH / 2 + (m - (minX + maxX) / 2) * factor, y: (m: number) => HEIGHT / 2 - (m - (minY + maxY) / 2) * factor };
  }, [geometry]);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || !geometry || !scale) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = WIDTH * ratio;
    element.height = HEIGHT * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colours = coloursOf(element);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.strokeStyle = colours.line;
    context.beginPath();
    for (const points of geometry.lanes.points) {
      for (let k = 0; k + 1 < points.length; k += 2) {
        if (k) context.lineTo(scale.x(points[k]), scale.y(points[k + 1]));
        else context.moveTo(scale.x(points[k]), scale.y(points[k + 1]));
      }
    }
    context.stroke();
    const place = new Map(geometry.junctions.map((one) => [one.id, one]));
    context.strokeStyle = colours.bandForward;
    context.lineWidth = 4;
    context.beginPath();
    chain.forEach((id, k) => {
      const junction = place.get(id);
      if (!junction) return;
      if (k) context.lineTo(scale.x(junction.x_m), scale.y(junction.y_m));
      else context.moveTo(scale.x(junction.x_m), scale.y(junction.y_m));
    });
    context.stroke();
    for (const junction of geometry.junctions) {
      const end = junction.id === from ? 'A' : junction.id === to ? 'B' : '';
      const [x, y] = [scale.x(junction.x_m), scale.y(junction.y_m)];
      context.fillStyle = end ? colours.ink : colours.soft;
      context.beginPath();
      context.arc(x, y, end ? 8 : 2.6, 0, 2 * Math.PI);
      context.fill();
      if (!end) continue;
      context.fillStyle = getComputedStyle(element).getPropertyValue('--surface');
      context.font = '700 11px system-ui, sans-serif';
      context.textAlign = 'center';
      context.fillText(end, x, y + 4);
    }
  }, [geometry, scale, chain, from, to, theme]);
  if (!geometry || !scale) return null;
  return (
    <canvas
      ref={canvas}
      class="corridor-map"
      role="img"
      aria-label={label}
      style={{ width: `${WIDTH}px`, height: `${HEIGHT}px` }}
      data-testid="corridor-map"
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const places = geometry.junctions.map((one) => ({ x_m: scale.x(one.x_m), y_m: scale.y(one.y_m) }));
        const row = nearestJunction(places, event.clientX - box.left, event.clientY - box.top, REACH_PX);
        if (row !== null) onPick(geometry.junctions[row].id);
      }}
    />
  );
}
