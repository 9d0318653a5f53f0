import { describe, expect, it } from 'vitest';
import { decodeFrame, type Frame } from '../src/live/frame';
import { buildSegment, FADE_IN, FADE_OUT, FADE_STEADY, NumberTable, STRIDE } from '../src/live/segment';
import { buildFrame, type VehicleRow } from './build-frame';

// 65535 m wide, so that one quantum is one metre
const BOUNDS = { minX: 0, minY: 0, maxX: 65535, maxY: 65535 };
const table = new NumberTable();
const frame = (timeS: number, rows: VehicleRow[]): Frame => decodeFrame(buildFrame(timeS, rows));
const segment = (a: Frame | null, b: Frame, reuse?: Float32Array) => buildSegment(a, b, BOUNDS, [100, 200], table, reuse);

function row(data: Float32Array, k: number) {
  const [fromX, fromY, fromA, toX, toY, turn, fromV, toV, kind, fade] = data.slice(k * STRIDE, (k + 1) * STRIDE);
  return { fromX, fromY, fromA, toX, toY, turn, fromV, toV, kind, fade };
}

describe('buildSegment', () => {
  it('pairs vehicles by number, whatever their order', () => {
    const s = segment(
      frame(10, [{ number: 1, x: 110, y: 210, speed: 40 }, { number: 2, x: 500, y: 600 }]),
      frame(11, [{ number: 2, x: 505, y: 600 }, { number: 1, x: 110, y: 220, speed: 44 }]),
    );
    expect([s.fromS, s.toS, s.count]).toEqual([10, 11, 2]);
    expect(row(s.data, 0)).toMatchObject({ fromX: 400, fromY: 400, toX: 405, toY: 400, fade: FADE_STEADY });
    expect(row(s.data, 1)).toMatchObject({ fromX: 10, fromY: 10, toX: 10, toY: 20, fromV: 10, toV: 11, fade: FADE_STEADY });
  });

  it('turns the shorter way round', () => {
    const s = segment(frame(0, [{ number: 1, x: 0, y: 0, angle: 250 }]), frame(1, [{ number: 1, x: 1, y: 0, angle: 4 }]));
    expect(row(s.data, 0).turn).toBeCloseTo((10 / 256) * 2 * Math.PI, 5);
  });

  it('fades new vehicles in and vanished ones out, where they are', () => {
    const s = segment(frame(0, [{ number: 1, x: 100, y: 200 }]), frame(1, [{ number: 2, x: 130, y: 200 }]));
    expect(s.count).toBe(2);
    expect(row(s.data, 0)).toMatchObject({ fromX: 30, toX: 30, fade: FADE_IN });
    expect(row(s.data, 1)).toMatchObject({ fromX: 0, toX: 0, fade: FADE_OUT });
  });

  it('draws no streak when a vehicle jumps', () => {
    const s = segment(frame(0, [{ number: 1, x: 0, y: 0, speed: 40 }]), frame(1, [{ number: 1, x: 5000, y: 0, speed: 40 }]));
    expect(s.count).toBe(2);
    expect(row(s.data, 0)).toMatchObject({ fromX: 4900, toX: 4900, fade: FADE_IN });
    expect(row(s.data, 1)).toMatchObject({ fromX: -100, toX: -100, fade: FADE_OUT });
  });

  it('does not take fast driving for a jump', () => {
    const s = segment(frame(0, [{ number: 1, x: 0, y: 0, speed: 120 }]), frame(1, [{ number: 1, x: 31, y: 0, speed: 124 }]));
    expect(row(s.data, 0).fade).toBe(FADE_STEADY);
  });

  it('shows a first frame standing', () => {
    const s = segment(null, frame(5, [{ number: 1, x: 100, y: 200 }]));
    expect([s.fromS, s.toS, s.count, row(s.data, 0).fade]).toEqual([5, 5, 1, FADE_STEADY]);
  });

  it('uses a buffer again when it is large enough', () => {
    const a = frame(0, [{ number: 1, x: 1, y: 1 }]);
    const b = frame(1, [{ number: 1, x: 2, y: 1 }]);
    const large = new Float32Array(100 * STRIDE);
    expect(segment(a, b, large).data).toBe(large);
    expect(segment(a, b, new Float32Array(STRIDE)).data.length).toBeGreaterThanOrEqual(2 * STRIDE);
  });

  it('prepares 10,000 vehicles in well under one frame of a display', () => {
    const rows = Array.from({ length: 10_000 }, (_, k) => ({ number: k * 7 + 3, x: (k * 13) % 65535, y: (k * 29) % 65535 }));
    const a = frame(0, rows);
    const b = frame(1, rows.map((v) => ({ ...v, x: (v.x + 10) % 65535 })).reverse());
    let s = segment(a, b);
    let best = Infinity; // the least of many, because other work may be going on beside the test
    for (let k = 0; k < 40; k++) {
      const start = performance.now();
      s = segment(a, b, s.data);
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(8);
    expect(s.count).toBeGreaterThanOrEqual(10_000);
  });
});

describe('NumberTable', () => {
  it('finds what it was filled with and nothing else', () => {
    const numbers = Uint32Array.from({ length: 5000 }, (_, k) => Math.imul(k, 0x85ebca6b) >>> 0);
    table.fill(numbers);
    numbers.forEach((number, k) => expect(table.find(number)).toBe(k));
    expect(table.find(12345)).toBe(-1);
    table.fill(new Uint32Array(0));
    expect(table.find(numbers[1])).toBe(-1);
  });
});
