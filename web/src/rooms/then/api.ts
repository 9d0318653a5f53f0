/** The past, as the API tells it. Times go as instants; inside they are seconds of the city's clock. */

import { problem, ProblemError, request } from '../../api/client';
import type { Known } from '../../api/types';
import { decodeFrame, type Frame } from '../../live/frame';
import { text } from '../../text';

export type Source = 'recording' | 'history' | 'none';

export interface Replay {
  run: number;
  spans: { start: string; end: string }[];
  kept_hours: number;
  recording: boolean;
  last_error: string;
}

export type MarkKind = 'control' | 'brain-on' | 'brain-off' | 'mission-began' | 'mission-ended' | 'alert' | 'case';

export interface Mark {
  time_s: number;
  kind: MarkKind;
  text: string;
  detail: string;
  junction: string;
}

export const SERIES = ['delay_s', 'throughput_veh_per_h', 'queue_veh', 'vehicles', 'stopped'] as const;
export type SeriesName = (typeof SERIES)[number];

export interface Strip extends Record<SeriesName, Known[]> {
  source: Source;
  start_s: number;
  step_s: number;
  marks: Mark[];
}

export interface Chunk {
  frames: Frame[];
  source: Source;
}

const FRAMES_TIMEOUT_MS = 20_000;

export const isoOf = (epoch: string, timeS: number): string => new Date(Date.parse(epoch) + Math.round(timeS * 1000)).toISOString();

/** Seconds of the city's clock; NaN for what is no instant. */
export const secondsOf = (epoch: string, instant: string): number => (Date.parse(instant) - Date.parse(epoch)) / 1000;

export const fetchReplay = (run: number): Promise<Replay> => request('GET', `/v1/replay?run=${run}`);

export async function fetchStrip(epoch: string, fromS: number, toS: number, run: number): Promise<Strip> {
  const window = new URLSearchParams({ start: isoOf(epoch, fromS), end: isoOf(epoch, toS), run: String(run) });
  const [strip, cases] = await Promise.all([request<Strip>('GET', `/v1/replay/strip?${window}`), fetchCases(epoch, fromS, toS)]);
  return { ...strip, marks: [...strip.marks, ...cases].sort((a, b) => a.time_s - b.time_s) };
}

/** Cases that were opened then; none where nobody keeps them. */
async function fetchCases(epoch: string, fromS: number, toS: number): Promise<Mark[]> {
  try {
    const health = await request<{ cases: { answering: boolean } | null }>('GET', '/v1/health');
    if (!health.cases?.answering) return [];
    const page = await request<{ cases: { id: string; title: string; opened: string }[] }>('GET', '/v1/cases?limit=1000');
    return page.cases
      .map((one) => ({ time_s: secondsOf(epoch, one.opened), kind: 'case' as const, text: one.title || one.id, detail: one.id, junction: '' }))
      .filter((mark) => mark.time_s >= fromS && mark.time_s < toS);
  } catch {
    return [];
  }
}

export async function fetchFrames(epoch: string, fromS: number, toS: number, stepS: number, run: number): Promise<Chunk> {
  const window = new URLSearchParams({ start: isoOf(epoch, fromS), end: isoOf(epoch, toS), step_s: String(stepS), run: String(run) });
  let response: Response;
  try {
    response = await fetch(`/v1/replay/frames?${window}`, { signal: AbortSignal.timeout(FRAMES_TIMEOUT_MS), cache: 'no-store' });
  } catch {
    throw new ProblemError(0, text.errors.unreachable, '');
  }
  if (!response.ok) throw await problem(response);
  const source = (response.headers.get('x-replay-source') ?? 'none') as Source;
  return { frames: split(await response.arrayBuffer()), source };
}

/** A length (u32, little endian) and a frame, again and again. */
export function split(body: ArrayBuffer): Frame[] {
  const frames: Frame[] = [];
  const view = new DataView(body);
  for (let at = 0; at + 4 <= body.byteLength; ) {
    const size = view.getUint32(at, true);
    frames.push(decodeFrame(body.slice(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return frames;
}
