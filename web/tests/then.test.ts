import { describe, expect, it } from 'vitest';
import { decodeFrame, type Frame } from '../src/live/frame';
import { isoOf, secondsOf, split, type Chunk } from '../src/rooms/then/api';
import { CHUNK_FRAMES, FrameBuffer } from '../src/rooms/then/frame-buffer';
import { describeMark, heldAt, lineOf, markGroup, nearestJunction, nearestKept, neighbourMark, valueAt } from '../src/rooms/then/model';
import { buildFrame } from './build-frame';

const EPOCH = '2026-01-05T00:00:00Z';
const frame = (timeS: number): Frame => decodeFrame(buildFrame(timeS, []));

/** A recording with a frame a second in [from, to), given out as the server does. */
function recording(spans: [number, number][], source: Chunk['source'] = 'recording') {
  const asked: [number, number, number][] = [];
  const fetch = (fromS: number, toS: number, stepS: number): Promise<Chunk> => {
    asked.push([fromS, toS, stepS]);
    const frames: Frame[] = [];
    for (let t = fromS; t < toS; t += stepS) if (spans.some(([a, b]) => t >= a && t < b)) frames.push(frame(t));
    return Promise.resolve({ frames, source: frames.length ? source : 'none' });
  };
  return { asked, fetch };
}

const fail = (error: unknown): void => {
  throw error;
};

async function filled(buffer: FrameBuffer, timeS: number, stepS = 1): Promise<void> {
  buffer.want(timeS, stepS, 1, 1e9);
  await new Promise((done) => setTimeout(done, 0));
}

describe('frames of the past', () => {
  it('finds the frames around a moment, also over the end of a piece', async () => {
    const { fetch, asked } = recording([[0, 1000]]);
    const buffer = new FrameBuffer(fetch, () => {}, fail);
    expect(buffer.find(100.4, 1)).toBeNull();
    await filled(buffer, 100.4);
    expect(asked[0]).toEqual([90, 120, 1]);
    const moment = buffer.find(100.4, 1);
    expect([moment?.older.timeS, moment?.newer?.timeS, moment?.source]).toEqual([100, 101, 'recording']);
    const border = buffer.find(119.5, 1);
    expect([border?.older.timeS, border?.newer?.timeS]).toEqual([119, 120]);
    expect(asked.length).toBe(3);
    await filled(buffer, 100.4);
    expect(asked.length).toBe(3); // nothing is asked for twice
    expect([buffer.neighbour(100.4, 1, 1), buffer.neighbour(101, 1, -1), buffer.neighbour(60, 1, -1)]).toEqual([101, 100, null]);
  });

  it('says where nothing is known, and where the picture only stands', async () => {
    const { fetch } = recording([[0, 100], [130, 200]]);
    const buffer = new FrameBuffer(fetch, () => {}, fail);
    await filled(buffer, 100);
    expect(buffer.find(99.5, 1)).toMatchObject({ older: { timeS: 99 }, newer: null });
    expect(buffer.find(110, 1)).toBeNull();
    expect(buffer.has(110, 1)).toBe(true);
    expect(buffer.find(131, 1)?.older.timeS).toBe(131);
  });

  it('takes larger pieces at high speed', async () => {
    const { fetch, asked } = recording([[0, 1000]]);
    const buffer = new FrameBuffer(fetch, () => {}, fail);
    await filled(buffer, 400, 5);
    expect(asked[0]).toEqual([300, 300 + 5 * CHUNK_FRAMES, 5]);
    expect(buffer.find(402, 5)).toMatchObject({ older: { timeS: 400 }, newer: { timeS: 405 } });
  });

  it('reads the answer of the server', () => {
    const one = buildFrame(7, []);
    const body = new Uint8Array(2 * (4 + one.byteLength));
    for (const at of [0, 4 + one.byteLength]) {
      new DataView(body.buffer).setUint32(at, one.byteLength, true);
      body.set(new Uint8Array(one), at + 4);
    }
    expect(split(body.buffer).map((each) => each.timeS)).toEqual([7, 7]);
    expect(split(new ArrayBuffer(0))).toEqual([]);
  });
});

describe('what is worked out', () => {
  it('goes from instants to seconds and back', () => {
    expect(isoOf('2026-01-05T00:00:00+09:00', 60)).toBe('2026-01-04T15:01:00.000Z');
    expect(secondsOf(EPOCH, isoOf(EPOCH, 12.5))).toBe(12.5);
    expect(secondsOf(EPOCH, 'yesterday')).toBeNaN();
  });

  it('reads the figure of a step', () => {
    const strip = { start_s: 100, step_s: 10, delay_s: [1, null, 3], source: 'recording', marks: [] } as never;
    expect([100, 109, 112, 125, 500].map((at) => valueAt(strip, 'delay_s', at))).toEqual([1, 1, null, 3, 3]);
  });

  it('draws a line with gaps, from 0 or below', () => {
    expect(lineOf([null, null])).toBeNull();
    expect(lineOf([5, null, 10, 10])).toMatchObject({ low: 0, high: 10, path: 'M0.1250 0.500L0.1250 0.500M0.6250 0.000L0.6250 0.000L0.8750 0.000' });
    expect(lineOf([0, 0])?.path).toContain('M0.2500 1.000');
  });

  it('chooses the nearest junction within reach', () => {
    const junctions = [{ x_m: 0, y_m: 0 }, { x_m: 30, y_m: 0 }];
    expect(nearestJunction(junctions, 20, 0, 25)).toBe(1);
    expect(nearestJunction(junctions, 200, 0, 25)).toBeNull();
  });
});

describe('who held a junction then', () => {
  const held = [
    { junction: 'A', action: 'stage', stage: 's3', actor: 'anna', reason: 'queue', from_s: 100, until_s: 160 },
    { junction: 'B', action: 'hold', stage: 's1', actor: 'bo', reason: '', from_s: 150, until_s: 200 },
  ];
  it.each([
    [99, ''],
    [100, 'A'],
    [155, 'A B'],
    [160, 'B'],
  ])('at second %i: %s', (atS, names) => expect(heldAt(held, atS).map((one) => one.junction).join(' ')).toBe(names));
  it('is told with what happened', () => {
    const mark = { time_s: 100, kind: 'override', text: '', detail: '', junction: 'A', actor: 'anna', body: { junction: 'A', what: 'begin', action: 'stage', stage: 's3', set_by: 'anna', reason: 'queue' } };
    expect(describeMark(mark)).toBe('anna took control at A. Stage s3 requested: “queue”');
    expect(markGroup(mark)).toBe('override');
  });
});

describe('going through the past', () => {
  it('knows the nearest moment that was recorded', () => {
    const spans = [[100, 200], [400, 500]] as const;
    expect(nearestKept(spans, 150)).toBeNull();
    expect([nearestKept(spans, 20), nearestKept(spans, 250), nearestKept(spans, 390), nearestKept(spans, 500)]).toEqual([100, 199, 400, 499]);
    expect(nearestKept([], 20)).toBeNull();
  });

  it('goes from one thing that happened to the next', () => {
    const marks = [{ time_s: 10 }, { time_s: 20 }, { time_s: 30 }];
    expect([neighbourMark(marks, 20, 1), neighbourMark(marks, 20, -1), neighbourMark(marks, 15, -1)]).toEqual([marks[2], marks[0], marks[0]]);
    expect([neighbourMark(marks, 30, 1), neighbourMark(marks, 10, -1)]).toEqual([undefined, undefined]);
  });
});
