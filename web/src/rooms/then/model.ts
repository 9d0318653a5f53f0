/** Small things that are worked out of what is known. */

import { SERIES, type Mark, type SeriesName, type Strip } from './api';
import { thenText as text } from './text';

/** Figure of the step in which that second lies; null: not known. */
export function valueAt(strip: Strip, name: SeriesName, atS: number): number | null {
  const values = strip[name];
  const at = Math.floor((atS - strip.start_s) / strip.step_s);
  return values[Math.min(values.length - 1, Math.max(0, at))] ?? null;
}

/** What is drawn over the scrubber: three of the figures. */
export const CHARTS: readonly SeriesName[] = SERIES.slice(0, 3);

export const markGroup = (mark: Mark): 'control' | 'mission' | 'alert' | 'case' =>
  mark.kind.startsWith('mission') ? 'mission' : mark.kind === 'alert' ? 'alert' : mark.kind === 'case' ? 'case' : 'control';

export const describeMark = (mark: Mark): string => text.mark[mark.kind]?.(mark.text, mark.detail) ?? mark.text;

export interface Line {
  /** "M x y L …", in steps and shares of the height, broken where nothing is known. */
  path: string;
  low: number;
  high: number;
}

/** A line through known values, x 0..1 over the steps, y 0 (highest) to 1 (0 or the lowest). */
export function lineOf(values: readonly (number | null)[]): Line | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  const low = Math.min(0, ...known);
  const high = Math.max(low + 1e-9, ...known);
  let path = '';
  let pen = false;
  values.forEach((value, k) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = ((k + 0.5) / values.length).toFixed(4);
    const y = (1 - (value - low) / (high - low)).toFixed(3);
    path += `${pen ? 'L' : 'M'}${x} ${y}${pen ? '' : `L${x} ${y}`}`;
    pen = true;
  });
  return { path, low, high };
}

/** Row of the nearest junction within reach, or null. */
export function nearestJunction(junctions: readonly { x_m: number; y_m: number }[], x: number, y: number, reachM: number): number | null {
  let best: number | null = null;
  let nearest = reachM;
  junctions.forEach((junction, row) => {
    const apart = Math.hypot(junction.x_m - x, junction.y_m - y);
    if (apart < nearest) {
      nearest = apart;
      best = row;
    }
  });
  return best;
}
