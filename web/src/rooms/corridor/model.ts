/** Geometry of the time-space diagram: time to the right, distance upwards. */

import type { CorridorWay, Diagram, Stop, Stretch } from './api';

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Scale {
  x: (timeS: number) => number;
  y: (axisM: number) => number;
  timeAt: (x: number) => number;
  axisAt: (y: number) => number;
}

/** Seconds of what is planned that are shown beyond the end. */
export const AHEAD_S = 120;

export function scaleOf(diagram: Diagram, box: Box, ahead: boolean): Scale {
  const [startS, endS] = [diagram.start_s, diagram.end_s + (ahead ? AHEAD_S : 0)];
  const length = Math.max(1, diagram.forward.length_m);
  return {
    x: (timeS) => box.left + ((timeS - startS) / (endS - startS)) * box.width,
    y: (axisM) => box.top + box.height - (axisM / length) * box.height,
    timeAt: (x) => startS + ((x - box.left) / box.width) * (endS - startS),
    axisAt: (y) => ((box.top + box.height - y) / box.height) * length,
  };
}

export const hasPlan = (diagram: Diagram): boolean =>
  [diagram.forward, diagram.back].some((way) => way?.stops.some((stop) => stop.planned.length > 0) ?? false);

/** Corners of a band, stop line by stop line along its beginning, then back along its end. */
export function bandCorners(way: CorridorWay, band: { start_s: number; end_s: number }): [number, number][] {
  const first = way.stops.map((stop): [number, number] => [band.start_s + stop.travel_s, stop.axis_m]);
  const last = way.stops.map((stop): [number, number] => [band.end_s + stop.travel_s, stop.axis_m]);
  return [...first, ...last.reverse()];
}

/** Even steps for an axis, about `wanted` of them. */
export function ticks(from: number, to: number, wanted: number, steps: readonly number[]): number[] {
  const step = steps.find((one) => (to - from) / one <= wanted) ?? steps[steps.length - 1];
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}

export const stretchAt = (stop: Stop, timeS: number): Stretch | undefined =>
  [...stop.signals, ...stop.planned].find((one) => timeS >= one.start_s && timeS < one.end_s);

export interface Nearest {
  way: 'forward' | 'back';
  stop: Stop;
  /** The stop line after it in driving direction, with the time to it at the progression speed. */
  onward: Stop | null;
}

/** The stop line that lies nearest to a place on the axis. */
export function nearestStop(diagram: Diagram, axisM: number, shown: { forward: boolean; back: boolean }): Nearest | null {
  let best: Nearest | null = null;
  for (const [name, way] of [['forward', diagram.forward], ['back', diagram.back]] as const) {
    if (!way || !shown[name]) continue;
    way.stops.forEach((stop, k) => {
      if (!best || Math.abs(stop.axis_m - axisM) < Math.abs(best.stop.axis_m - axisM) - 0.01) best = { way: name, stop, onward: way.stops[k + 1] ?? null };
    });
  }
  return best;
}

/** Two junctions' order as the address has it: "A>B". Ids may hold anything; > is escaped by the address. */
export const itemOf = (from: string, to: string): string => `${encodeURIComponent(from)}>${encodeURIComponent(to)}`;

export function endsOf(item: string): [string, string] | null {
  const [from, to, more] = item.split('>');
  if (!from || !to || more !== undefined) return null;
  try {
    return [decodeURIComponent(from), decodeURIComponent(to)];
  } catch {
    return null;
  }
}
