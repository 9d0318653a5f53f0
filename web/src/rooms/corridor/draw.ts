/** The diagram on its canvas. Directions are told apart by their side of the stop line and by slope, states by
 * thickness as well as by colour. */

import { formatClock, formatDistance } from '../../format';
import type { CorridorWay, Diagram, Stretch, Track } from './api';
import { AHEAD_S, bandCorners, hasPlan, scaleOf, ticks, type Box, type Scale } from './model';
import { corridorText as text } from './text';
import { pageFont } from '../../map/font';

export interface Shown {
  forward: boolean;
  back: boolean;
  bands: boolean;
  tracks: boolean;
}

const LEFT = 218;
const RIGHT = 14;
const TOP = 22;
const BOTTOM = 26;
const TIME_STEPS = [30, 60, 120, 300, 600];
const THICK: Record<Stretch['state'], number> = { green: 6, yellow: 4, red: 2 };
const TRANSIT = [2, 3];
const EMERGENCY = 7;

export const boxOf = (width: number, height: number): Box => ({ left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM });

export interface Colours {
  ink: string;
  soft: string;
  line: string;
  green: string;
  yellow: string;
  red: string;
  bandForward: string;
  bandBack: string;
  transit: string;
  emergency: string;
}

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: of('--ink'),
    soft: of('--ink-soft'),
    line: of('--line'),
    green: of('--corridor-green'),
    yellow: of('--warn'),
    red: of('--corridor-red'),
    bandForward: of('--corridor-green'),
    bandBack: of('--accent'),
    transit: of('--corridor-bus'),
    emergency: of('--corridor-emergency'),
  };
}

export function drawDiagram(context: CanvasRenderingContext2D, width: number, height: number, diagram: Diagram, shown: Shown, epoch: string, colours: Colours): void {
  const box = boxOf(width, height);
  const ahead = hasPlan(diagram);
  const scale = scaleOf(diagram, box, ahead);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${pageFont()}`;
  drawTimes(context, box, scale, diagram, ahead, epoch, colours);
  const ways = [
    { way: diagram.forward, on: shown.forward, band: colours.bandForward, side: -1 },
    { way: diagram.back, on: shown.back, band: colours.bandBack, side: 1 },
  ];
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  for (const { way, on, band } of ways) if (way && on && shown.bands) drawBands(context, scale, way, band);
  for (const { way, on } of ways) if (way && on && shown.tracks) way.tracks.forEach((track) => drawTrack(context, scale, track, colours));
  context.restore();
  drawNames(context, box, scale, diagram, colours);
  for (const { way, on, side } of ways) if (way && on) drawSignals(context, box, scale, way, side, colours);
}

function drawTimes(context: CanvasRenderingContext2D, box: Box, scale: Scale, diagram: Diagram, ahead: boolean, epoch: string, colours: Colours): void {
  const endS = diagram.end_s + (ahead ? AHEAD_S : 0);
  context.textAlign = 'center';
  for (const timeS of ticks(diagram.start_s, endS, Math.max(3, box.width / 90), TIME_STEPS)) {
    const x = Math.round(scale.x(timeS)) + 0.5;
    stroke(context, colours.line, 1, [[x, box.top], [x, box.top + box.height]]);
    context.fillStyle = colours.soft;
    if (x > box.left + 24 && x < box.left + box.width - 20) context.fillText(formatClock(epoch, timeS), x, box.top + box.height + 17);
  }
  if (!ahead) return;
  const x = scale.x(diagram.end_s);
  stroke(context, colours.ink, 1.5, [[x, box.top - 4], [x, box.top + box.height]]);
  context.fillStyle = colours.ink;
  context.fillText(text.now, x, box.top - 8);
  context.fillStyle = colours.soft;
  context.fillText(text.planned, scale.x(diagram.end_s + AHEAD_S / 2), box.top - 8);
}

function drawNames(context: CanvasRenderingContext2D, box: Box, scale: Scale, diagram: Diagram, colours: Colours): void {
  let lastY = Number.POSITIVE_INFINITY;
  for (const stop of diagram.forward.stops) {
    const y = Math.round(scale.y(stop.axis_m)) + 0.5;
    stroke(context, colours.line, 1, [[box.left, y], [box.left + box.width, y]]);
    if (lastY - y < 15) continue; // names that would lie over one another; the table has them all
    lastY = y;
    context.textAlign = 'left';
    context.fillStyle = colours.ink;
    context.fillText(fitted(context, stop.name || stop.junction, LEFT - 72), 4, y + 4);
    context.textAlign = 'right';
    context.fillStyle = colours.soft;
    context.fillText(formatDistance(stop.axis_m), LEFT - 10, y + 4);
  }
}

function drawSignals(context: CanvasRenderingContext2D, box: Box, scale: Scale, way: CorridorWay, side: number, colours: Colours): void {
  for (const stop of way.stops) {
    const y = scale.y(stop.axis_m) + side * 4;
    for (const [stretches, alpha] of [[stop.signals, 1], [stop.planned, 0.5]] as const) {
      context.globalAlpha = alpha;
      for (const stretch of stretches) {
        const x = Math.max(box.left, scale.x(stretch.start_s));
        const width = Math.min(box.left + box.width, scale.x(stretch.end_s)) - x;
        const thick = THICK[stretch.state];
        context.fillStyle = colours[stretch.state];
        if (width > 0) context.fillRect(x, y - thick / 2, width, thick);
      }
    }
    context.globalAlpha = 1;
  }
}

function drawBands(context: CanvasRenderingContext2D, scale: Scale, way: CorridorWay, colour: string): void {
  for (const band of way.bands) {
    context.beginPath();
    bandCorners(way, band).forEach(([timeS, axisM], k) => (k ? context.lineTo(scale.x(timeS), scale.y(axisM)) : context.moveTo(scale.x(timeS), scale.y(axisM))));
    context.closePath();
    context.globalAlpha = 0.2;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 0.7;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;
  }
}

function drawTrack(context: CanvasRenderingContext2D, scale: Scale, track: Track, colours: Colours): void {
  const special = TRANSIT.includes(track.kind) ? colours.transit : track.kind === EMERGENCY ? colours.emergency : null;
  context.globalAlpha = special ? 1 : 0.6;
  const points = track.time_s.map((timeS, k): [number, number] => [scale.x(timeS), scale.y(track.axis_m[k])]);
  stroke(context, special ?? colours.soft, special ? 2.6 : 1, points);
  context.globalAlpha = 1;
}

function stroke(context: CanvasRenderingContext2D, colour: string, width: number, points: readonly (readonly [number, number])[]): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
}

function fitted(context: CanvasRenderingContext2D, words: string, width: number): string {
  let shown = words;
  while (shown.length > 1 && context.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
  return shown;
}
