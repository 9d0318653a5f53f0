/** What the room knows: the window, the moment, how fast, and what was told of it. */

import { makeStore } from '../../state/make-store';
import { getState } from '../../state/store';
import { secondsOf, type Replay, type Source, type Strip } from './api';

/** Speeds of the keys 1 to 5, in seconds of the city a second, with the least time between two frames. */
export const SPEEDS: readonly { factor: number; stepS: number }[] = [
  { factor: 1, stepS: 1 },
  { factor: 2, stepS: 1 },
  { factor: 5, stepS: 1 },
  { factor: 15, stepS: 2 },
  { factor: 60, stepS: 5 },
];

export interface ThenState {
  replay: Replay | null;
  run: number;
  fromS: number;
  toS: number;
  /** The moment that is shown, to a tenth of a second. */
  atS: number;
  /** Index in SPEEDS. */
  speed: number;
  playing: boolean;
  /** waiting: frames are on their way; gap: nothing is known of this moment. */
  shown: 'waiting' | 'frames' | 'gap';
  source: Source;
  strip: Strip | null;
  trouble: string;
  /** Row of the junction whose figures are shown. */
  junction: number | null;
}

export const EMPTY: ThenState = {
  replay: null,
  run: 0,
  fromS: 0,
  toS: 0,
  atS: 0,
  speed: 0,
  playing: false,
  shown: 'waiting',
  source: 'none',
  strip: null,
  trouble: '',
  junction: null,
};

const store = makeStore<ThenState>(EMPTY);
export const getThen = store.get;
export const setThen = store.set;
export const useThen = store.use;

/** What is recorded, as stretches of the city's clock. */
export function spansOf(replay: Replay | null, epoch: string): (readonly [number, number])[] {
  return (replay?.spans ?? []).map((span) => [secondsOf(epoch, span.start), secondsOf(epoch, span.end)] as const);
}

/** A junction as people call it. */
export function junctionName(id: string): string {
  const found = getState().geometry?.junctions.find((one) => one.id === id);
  return found?.name || id;
}
