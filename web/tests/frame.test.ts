import { describe, expect, it } from 'vitest';
import { decodeFrame, frameBytes, FrameError, HEADER_BYTES } from '../src/live/frame';
import { buildFrame } from './build-frame';

const three = [
  { number: 7, x: 0, y: 65535, angle: 64, speed: 40, kind: 2 },
  { number: 4_000_000_000, x: 1, y: 2, angle: 255, speed: 255, kind: 8 },
  { number: 8, x: 300, y: 400 },
];

describe('decodeFrame', () => {
  it('reads every column at its place, with odd row counts that need padding', () => {
    const frame = decodeFrame(buildFrame(25200.5, three));
    expect(frame.sequence).toBe(9);
    expect(frame.timeS).toBe(25200.5);
    expect(frame.speed).toBe(1.5);
    expect(frame.vehicles).toBe(3);
    expect([...frame.number]).toEqual([7, 4_000_000_000, 8]);
    expect([...frame.x]).toEqual([0, 1, 300]);
    expect([...frame.y]).toEqual([65535, 2, 400]);
    expect([...frame.angle]).toEqual([64, 255, 0]);
    expect([...frame.vehicleSpeed]).toEqual([40, 255, 0]);
    expect([...frame.vehicleClass]).toEqual([2, 8, 0]);
    expect(String.fromCharCode(...frame.lamp)).toBe('Gr');
    expect([...frame.delay]).toEqual([123, 65535, 7]);
    expect([...frame.queue]).toEqual([4, 5, 6]);
    expect([...frame.mode]).toEqual([2, 1, 6]);
    expect([...frame.stage]).toEqual([0, -1, 3]);
  });

  it('reads an empty city', () => {
    const frame = decodeFrame(buildFrame(0, [], { lamps: '', delay: [], queue: [], mode: [], stage: [] }));
    expect(frame.vehicles).toBe(0);
    expect(frame.delay.length).toBe(0);
  });

  it('goes on with the lamps and junctions of the frame before where none are sent', () => {
    const before = decodeFrame(buildFrame(1, three));
    const none = buildFrame(2, [three[0]!], { lamps: '', delay: [], queue: [], mode: [], stage: [] });
    const frame = decodeFrame(none, before);
    expect([frame.timeS, frame.vehicles]).toEqual([2, 1]);
    expect(String.fromCharCode(...frame.lamp)).toBe('Gr');
    expect([...frame.stage]).toEqual([0, -1, 3]);
    expect(decodeFrame(buildFrame(3, three, { lamps: 'yy' }), frame).lamp[0]).toBe('y'.charCodeAt(0));
    expect(decodeFrame(none).lamp.length).toBe(0);
  });

  it('says how many bytes a frame has', () => {
    expect(frameBytes(0, 0, 0)).toBe(HEADER_BYTES);
    expect(frameBytes(1, 1, 1)).toBe(32 + 4 + 2 * 4 + 3 * 4 + 4 + 2 * 4 + 2 * 4);
    expect(frameBytes(10_000, 0, 0)).toBe(32 + 110_000);
  });

  it('refuses a frame cut off anywhere', () => {
    const whole = buildFrame(1, three);
    for (let length = 0; length < whole.byteLength; length++) {
      expect(() => decodeFrame(whole.slice(0, length)), `cut at ${length}`).toThrow(FrameError);
    }
  });

  it('refuses a frame with something after its end', () => {
    const whole = buildFrame(1, three);
    const longer = new ArrayBuffer(whole.byteLength + 4);
    new Uint8Array(longer).set(new Uint8Array(whole));
    expect(() => decodeFrame(longer)).toThrow(FrameError);
  });

  it('refuses another magic, absurd counts and a time that is no number', () => {
    const magic = buildFrame(1, three);
    new DataView(magic).setUint8(3, 0x32);
    expect(() => decodeFrame(magic)).toThrow(/not a CBF1/);
    for (const at of [20, 24, 28]) {
      const counts = buildFrame(1, three);
      new DataView(counts).setUint32(at, 0xffffffff, true);
      expect(() => decodeFrame(counts)).toThrow(FrameError);
    }
    expect(() => decodeFrame(buildFrame(Number.NaN, three))).toThrow(/time/);
  });

  it('takes a measured speed that is no number as standing', () => {
    expect(decodeFrame(buildFrame(1, [], { speed: Number.NaN })).speed).toBe(0);
    expect(decodeFrame(buildFrame(1, [], { speed: -1 })).speed).toBe(0);
  });
});
