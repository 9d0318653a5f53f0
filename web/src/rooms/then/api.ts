/** The past, as the API tells it. Times go as instants; inside they are seconds of the city's clock. */

import type { Sentence } from '../../alerts/words';
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

/** From a ledger: its entry's kind, actor and body. From the picture: kind, text and detail. */
export interface Mark {
  time_s: number;
  kind: string;
  text: string;
  detail: string;
  junction: string;
  actor: string;
  body: Record<string, unknown>;
  /** An alarm's title as a sentence; [] where it is text. */
  said?: Sentence[];
}

/** A junction that an operator held. */
export interface HeldStretch {
  junction: string;
  action: string;
  stage: string;
  actor: string;
  reason: string;
  from_s: number;
  until_s: number;
}

export const SERIES = ['delay_s', 'throughput_veh_per_h', 'queue_veh', 'vehicles', 'stopped'] as const;
export type SeriesName = (typeof SERIES)[number];

export interface Strip extends Record<SeriesName, Known[]> {
  source: Source;
  start_s: number;
  step_s: number;
  marks: Mark[];
  overrides: HeldStretch[];
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
  return request<Strip>('GET', `/v1/replay/strip?${window}`);
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
