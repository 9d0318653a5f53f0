/** Small things that are worked out of what is known. */

import { titleWords } from '../../alerts/words';
import { ledgerSentence } from '../../ledger/sentence';
import { casesText } from '../cases/text';
import { actorWords, eventWords } from '../cases/words';
import { SERIES, type HeldStretch, type Mark, type SeriesName, type Strip } from './api';
import { thenText as text } from './text';

/** Figure of the step in which that second lies; null: not known. */
export function valueAt(strip: Strip, name: SeriesName, atS: number): number | null {
  const values = strip[name];
  const at = Math.floor((atS - strip.start_s) / strip.step_s);
  return values[Math.min(values.length - 1, Math.max(0, at))] ?? null;
}

/** What is drawn over the scrubber: three of the figures. */
export const CHARTS: readonly SeriesName[] = SERIES.slice(0, 3);

export type MarkGroup = 'control' | 'mission' | 'alert' | 'case' | 'override';

export function markGroup({ kind }: Mark): MarkGroup {
  if (kind.startsWith('mission')) return 'mission';
  if (kind.startsWith('alarms-')) return 'alert';
  return kind === 'alert' || kind === 'case' || kind === 'override' ? kind : 'control';
}

/** nameOf: a junction as people call it. */
export function describeMark(mark: Mark, nameOf?: (junction: string) => string): string {
  if (mark.kind === 'alert') return text.alert(titleWords({ title: mark.text, detail: '', ...(mark.said && { said: mark.said }) }));
  const { actor, body } = mark;
  const what = String(body['what'] ?? '');
  if (mark.kind === 'case' && what !== 'opened') return `${String(body['case'] ?? '')}: ${actorWords(actor)}: ${eventWords({ what, detail: body })}`;
  return ledgerSentence(mark, { nameOf, kindOf: (kind) => casesText.kind[kind] ?? kind });
}

/** The recorded moment nearest to one that lies in no stretch [from, to) of the recording; null: it does, or there is none. */
export function nearestKept(spans: readonly (readonly [number, number])[], atS: number): number | null {
  if (spans.some(([from, to]) => atS >= from && atS < to)) return null;
  const ends = spans.flatMap(([from, to]) => [from, Math.max(from, to - 1)]);
  return ends.reduce<number | null>((best, one) => (best === null || Math.abs(one - atS) < Math.abs(best - atS) ? one : best), null);
}

/** What happened next after a moment (direction 1), or last before it (-1). marks: in the order of time. */
export function neighbourMark<M extends { time_s: number }>(marks: readonly M[], atS: number, direction: 1 | -1): M | undefined {
  return direction === 1 ? marks.find((mark) => mark.time_s > atS + SAME_S) : marks.findLast((mark) => mark.time_s < atS - SAME_S);
}

/** Moments are told to a tenth of a second. */
const SAME_S = 0.1;

/** Junctions that were held by hand at that second. */
export const heldAt = (held: readonly HeldStretch[], atS: number): HeldStretch[] => held.filter(({ from_s, until_s }) => atS >= from_s && atS < until_s);

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
