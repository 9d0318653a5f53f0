/**
 * What is drawn now: a short queue of frames, the clock, and the segment the clock stands in.
 * Fed by the socket a few times a second, asked by the map each animation frame.
 */

import type { Frame } from './frame';
import { PlaybackClock } from './playback';
import { buildSegment, NumberTable, type Bounds, type Segment } from './segment';

/** Frames kept ahead of the clock; more means the page slept, and the oldest are let go. */
const MAX_QUEUE = 8;

export class Picture {
  segment: Segment | null = null;
  /** Counts segments, so that the map knows when to send new ones to the graphics card. */
  version = 0;
  /** How far the picture is between the segment's two frames, 0..1. */
  mix = 1;
  private clock = new PlaybackClock();
  private readonly table = new NumberTable();
  private queue: Frame[] = [];
  private buffers: Float32Array[] = [];
  private seen = -1;
  /** The moment of the past that is shown instead of what arrives; newer null: nothing is known of it. */
  private past: { older: Frame | null; newer: Frame | null; timeS: number } | null = null;

  constructor(
    private readonly bounds: Bounds,
    private readonly origin: readonly [number, number],
  ) {}

  get isPast(): boolean {
    return this.past !== null;
  }

  /** Show that moment, between two frames (older null: as it stood at `newer`), until `leavePast`. */
  showPast(older: Frame | null, newer: Frame, timeS: number): void {
    const { past } = this;
    this.past = { older, newer, timeS };
    if (past?.older !== older || past.newer !== newer) this.show(older, newer);
  }

  /** A past of which nothing is known, until `leavePast`: no vehicle at all, rather than those of now. */
  showNothing(): void {
    if (this.past && !this.past.newer) return;
    this.past = { older: null, newer: null, timeS: Number.NaN };
    this.segment = null;
    this.version++;
  }

  leavePast(): void {
    if (!this.past) return;
    this.past = null;
    this.reset();
  }

  push(frame: Frame, nowMs: number): void {
    const last = this.queue.at(-1);
    if (this.clock.arrive(frame.timeS, nowMs, frame.speed)) {
      this.queue = [frame];
      this.show(null, frame);
      return;
    }
    if (last && frame.timeS === last.timeS) {
      if (frame.vehicles !== last.vehicles) {
        this.queue[this.queue.length - 1] = frame;
        if (this.queue.length === 1) this.show(null, frame);
      }
      return;
    }
    this.queue.push(frame);
    if (this.queue.length > MAX_QUEUE) this.queue.splice(0, this.queue.length - MAX_QUEUE);
  }

  /** Forget everything: the connection was lost or the city changed. */
  reset(): void {
    this.queue = [];
    this.segment = null;
    this.version++;
    this.clock = new PlaybackClock();
  }

  /** Bring the picture up to now; returns whether anything to be drawn has changed. */
  advance(nowMs: number): boolean {
    const timeS = this.past ? this.past.timeS : this.clock.advance(nowMs);
    while (this.queue.length > 2 && timeS >= this.queue[1].timeS) this.queue.shift();
    if (this.queue.length >= 2 && !this.past) {
      const [a, b] = this.queue;
      if (this.segment === null || this.segment.fromS !== a.timeS || this.segment.toS !== b.timeS) this.show(a, b);
    }
    const s = this.segment;
    const mix = !s || s.toS <= s.fromS ? 1 : Math.min(1, Math.max(0, (timeS - s.fromS) / (s.toS - s.fromS)));
    const changed = mix !== this.mix || this.version !== this.seen;
    this.mix = mix;
    this.seen = this.version;
    return changed;
  }

  get timeS(): number {
    return this.past ? this.past.timeS : this.clock.timeS;
  }

  private show(older: Frame | null, newer: Frame): void {
    // two buffers in turn: the graphics card may still read the last one
    const reuse = this.buffers.length >= 2 ? this.buffers.shift() : undefined;
    this.segment = buildSegment(older, newer, this.bounds, this.origin, this.table, reuse);
    this.buffers.push(this.segment.data);
    this.version++;
  }
}
