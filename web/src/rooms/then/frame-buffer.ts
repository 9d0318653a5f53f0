/** Frames of the past, fetched in pieces around the moment that is shown, a few pieces ahead. */

import type { Frame } from '../../live/frame';
import type { Chunk, Source } from './api';

/** Frames asked for at once; the server gives twice as many at most. */
export const CHUNK_FRAMES = 30;
const MOST_CHUNKS = 14;
/** Frames further apart than so many steps have a gap between them. */
const GAP_STEPS = 4;
const LEAST_GAP_S = 6;
/** History's frames may be a minute apart, and a piece may begin between two. */
const HISTORY_GAP_S = 70;

export interface Moment {
  older: Frame;
  /** null: the moment after is not known, the picture stands. */
  newer: Frame | null;
  source: Source;
}

type Fetch = (fromS: number, toS: number, stepS: number) => Promise<Chunk>;

export class FrameBuffer {
  private readonly chunks = new Map<string, Chunk | 'asked'>();

  constructor(
    private readonly fetch: Fetch,
    private readonly arrived: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  clear(): void {
    this.chunks.clear();
  }

  /** Ask for what is missing around a moment: `ahead` pieces beyond its own, and the one before. */
  want(timeS: number, stepS: number, ahead: number, endS: number): void {
    const index = this.index(timeS, stepS);
    for (const k of [0, ...Array.from({ length: ahead }, (_, n) => n + 1), -1]) {
      if ((index + k) * CHUNK_FRAMES * stepS <= endS) this.ask(index + k, stepS);
    }
  }

  /** Whether all that is needed to show this moment has come. */
  has(timeS: number, stepS: number): boolean {
    const chunk = this.chunks.get(this.key(this.index(timeS, stepS), stepS));
    return chunk !== undefined && chunk !== 'asked';
  }

  /** The frames around a moment; null where nothing is known of it, or nothing has come yet. */
  find(timeS: number, stepS: number): Moment | null {
    const index = this.index(timeS, stepS);
    let older: Frame | null = null;
    let source: Source = 'none';
    for (const k of [index - 1, index, index + 1]) {
      const chunk = this.chunks.get(this.key(k, stepS));
      if (!chunk || chunk === 'asked') continue;
      const gapS = chunk.source === 'history' ? HISTORY_GAP_S : Math.max(LEAST_GAP_S, GAP_STEPS * stepS);
      for (const frame of chunk.frames) {
        if (frame.timeS <= timeS) {
          older = frame;
          source = chunk.source;
          continue;
        }
        if (!older || timeS - older.timeS > gapS) return null;
        return { older, newer: frame.timeS - older.timeS <= gapS ? frame : null, source };
      }
      if (older && k > index && timeS - older.timeS > gapS) return null;
    }
    const gapS = source === 'history' ? HISTORY_GAP_S : Math.max(LEAST_GAP_S, GAP_STEPS * stepS);
    return older && timeS - older.timeS <= gapS ? { older, newer: null, source } : null;
  }

  /** Instant of the next frame after (direction 1) or before (-1) a moment, null where none is at hand. */
  neighbour(timeS: number, stepS: number, direction: 1 | -1): number | null {
    const index = this.index(timeS, stepS);
    const times = [index - 1, index, index + 1].flatMap((k) => {
      const chunk = this.chunks.get(this.key(k, stepS));
      return chunk && chunk !== 'asked' ? chunk.frames.map((frame) => frame.timeS) : [];
    });
    const beyond = times.filter((time) => (direction === 1 ? time > timeS + 1e-3 : time < timeS - 1e-3));
    return beyond.length ? (direction === 1 ? Math.min(...beyond) : Math.max(...beyond)) : null;
  }

  private index(timeS: number, stepS: number): number {
    return Math.floor(timeS / (CHUNK_FRAMES * stepS));
  }

  private key(index: number, stepS: number): string {
    return `${stepS}:${index}`;
  }

  private ask(index: number, stepS: number): void {
    const key = this.key(index, stepS);
    if (this.chunks.has(key)) return;
    this.chunks.set(key, 'asked');
    const lengthS = CHUNK_FRAMES * stepS;
    this.fetch(index * lengthS, (index + 1) * lengthS, stepS).then(
      (chunk) => {
        this.chunks.delete(key); // the newest last, so that the oldest is first to go
        this.chunks.set(key, chunk);
        while (this.chunks.size > MOST_CHUNKS) this.chunks.delete(this.chunks.keys().next().value as string);
        this.arrived();
      },
      (error: unknown) => {
        this.failed(error);
        window.setTimeout(() => this.chunks.delete(key), 2000); // asked again when it is still wanted
      },
    );
  }
}
