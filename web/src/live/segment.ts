/**
 * A segment: two frames made ready to be drawn between. Vehicles of both frames are paired by number,
 * in typed arrays that go to the graphics card as they are; the shader does the rest.
 */

import type { Frame } from './frame';

/** Floats a vehicle: from x, y, heading; to x, y, turn; speed at both ends; class; fade; two of nothing, so that
 * it fills three texels. */
export const STRIDE = 12;
/** Vehicles in one row of the texture that they are sent in; buffers hold whole rows. */
export const ROW_VEHICLES = 512;

export const FADE_STEADY = 0;
/** Only in the newer frame: fades in where it is. */
export const FADE_IN = 1;
/** Only in the older frame: fades out where it was. */
export const FADE_OUT = 2;

/** A vehicle that is further away than it can have driven was moved, not driven: no streak is drawn. */
const JUMP_SLACK_M = 15;
const JUMP_FACTOR = 1.5;
/** Over this distance between two frames a straight line no longer follows the road. */
const JUMP_MAX_M = 120;

export interface Bounds {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

export interface Segment {
  fromS: number;
  toS: number;
  count: number;
  /** STRIDE floats a vehicle; longer than count * STRIDE when the buffer is reused. */
  data: Float32Array;
}

/** Open-addressing table from vehicle number to row; no objects, no limit on the numbers. */
export class NumberTable {
  private keys = new Uint32Array(0);
  private rows = new Int32Array(0);
  private mask = 0;

  fill(numbers: Uint32Array): void {
    let size = 16;
    while (size < numbers.length * 2) size *= 2;
    if (this.rows.length < size) {
      this.keys = new Uint32Array(size);
      this.rows = new Int32Array(size);
    }
    this.mask = this.rows.length - 1;
    this.rows.fill(-1);
    for (let row = 0; row < numbers.length; row++) {
      let slot = this.slot(numbers[row]);
      while (this.rows[slot] >= 0 && this.keys[slot] !== numbers[row]) slot = (slot + 1) & this.mask;
      this.keys[slot] = numbers[row];
      this.rows[slot] = row;
    }
  }

  find(number: number): number {
    if (this.rows.length === 0) return -1;
    let slot = this.slot(number);
    while (this.rows[slot] >= 0) {
      if (this.keys[slot] === number) return this.rows[slot];
      slot = (slot + 1) & this.mask;
    }
    return -1;
  }

  private slot(number: number): number {
    return (Math.imul(number, 0x9e3779b1) >>> 7) & this.mask;
  }
}

const TURN = (2 * Math.PI) / 256;

/**
 * Pair two frames. Positions come out in metres from `origin` (x east, y north); headings in radians,
 * clockwise from north. `newer` alone (older = null) gives a standing picture.
 */
export function buildSegment(
  older: Frame | null,
  newer: Frame,
  bounds: Bounds,
  origin: readonly [number, number],
  table: NumberTable,
  reuse?: Float32Array,
): Segment {
  const most = newer.vehicles + (older ? older.vehicles : 0);
  const data = reuse && reuse.length >= most * STRIDE ? reuse : new Float32Array(Math.ceil((most * 1.25) / ROW_VEHICLES) * ROW_VEHICLES * STRIDE);
  const scaleX = (bounds.maxX - bounds.minX) / 65535;
  const scaleY = (bounds.maxY - bounds.minY) / 65535;
  const baseX = bounds.minX - origin[0];
  const baseY = bounds.minY - origin[1];
  const dt = older ? newer.timeS - older.timeS : 0;
  let at = 0;
  let count = 0;

  const put = (x: number, y: number, a: number, v: number, kind: number, fade: number): void => {
    data[at++] = x;
    data[at++] = y;
    data[at++] = a;
    data[at++] = x;
    data[at++] = y;
    data[at++] = 0;
    data[at++] = v;
    data[at++] = v;
    data[at++] = kind;
    data[at] = fade;
    at += 3;
    count++;
  };

  if (older) table.fill(older.number);
  const kept = older ? new Uint8Array(older.vehicles) : null;
  for (let row = 0; row < newer.vehicles; row++) {
    const toX = baseX + newer.x[row] * scaleX;
    const toY = baseY + newer.y[row] * scaleY;
    const toV = newer.vehicleSpeed[row] * 0.25;
    const toA = newer.angle[row];
    const kind = newer.vehicleClass[row];
    const before = older ? table.find(newer.number[row]) : -1;
    if (!older || !kept || before < 0) {
      put(toX, toY, toA * TURN, toV, kind, older ? FADE_IN : FADE_STEADY);
      continue;
    }
    const fromX = baseX + older.x[before] * scaleX;
    const fromY = baseY + older.y[before] * scaleY;
    const fromV = older.vehicleSpeed[before] * 0.25;
    const dx = toX - fromX;
    const dy = toY - fromY;
    const reach = Math.min(JUMP_MAX_M, Math.max(fromV, toV, 5) * dt * JUMP_FACTOR + JUMP_SLACK_M);
    if (dx * dx + dy * dy > reach * reach) {
      put(toX, toY, toA * TURN, toV, kind, FADE_IN); // its old place fades out below
      continue;
    }
    kept[before] = 1;
    // the shorter way round; -128..127 steps
    const turn = ((toA - older.angle[before] + 128) & 255) - 128;
    data[at++] = fromX;
    data[at++] = fromY;
    data[at++] = older.angle[before] * TURN;
    data[at++] = toX;
    data[at++] = toY;
    data[at++] = turn * TURN;
    data[at++] = fromV;
    data[at++] = toV;
    data[at++] = kind;
    data[at] = FADE_STEADY;
    at += 3;
    count++;
  }
  if (older && kept) {
    for (let row = 0; row < older.vehicles; row++) {
      if (kept[row]) continue;
      const v = older.vehicleSpeed[row] * 0.25;
      put(baseX + older.x[row] * scaleX, baseY + older.y[row] * scaleY, older.angle[row] * TURN, v, older.vehicleClass[row], FADE_OUT);
    }
  }
  return { fromS: older ? older.timeS : newer.timeS, toS: newer.timeS, count, data };
}
