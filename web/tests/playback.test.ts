import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../src/live/frame';
import { Picture } from '../src/live/picture';
import { PlaybackClock } from '../src/live/playback';
import { buildFrame } from './build-frame';

/** Run a clock at 60 pictures a second; arrivals: [wall ms, platform s]. Returns drawn seconds. */
function play(arrivals: [number, number][], untilMs: number): { ms: number; s: number }[] {
  const clock = new PlaybackClock();
  const drawn: { ms: number; s: number }[] = [];
  let next = 0;
  for (let ms = 0; ms <= untilMs; ms += 1000 / 60) {
    while (next < arrivals.length && arrivals[next][0] <= ms) {
      clock.arrive(arrivals[next][1], arrivals[next][0]);
      next++;
    }
    drawn.push({ ms, s: clock.advance(ms) });
  }
  return drawn;
}

const steps = (drawn: { ms: number; s: number }[]): number[] => drawn.slice(1).map((d, k) => d.s - drawn[k].s);

describe('PlaybackClock', () => {
  it('runs evenly, about one frame behind, at one second a second', () => {
    const arrivals = Array.from({ length: 20 }, (_, k): [number, number] => [k * 1000 + (k % 3) * 40, 100 + k]);
    const drawn = play(arrivals, 19_000).filter((d) => d.ms > 5000);
    for (const step of steps(drawn)) {
      expect(step).toBeGreaterThan(0.4 / 60);
      expect(step).toBeLessThan(1.6 / 60);
    }
    const last = drawn.at(-1)!;
    expect(100 + last.ms / 1000 - last.s).toBeGreaterThan(0.8);
    expect(100 + last.ms / 1000 - last.s).toBeLessThan(2);
  });

  it('never runs back and never past the newest frame', () => {
    const random = (k: number): number => (Math.sin(k * 12.9898) * 43758.5453) % 1;
    let at = 0;
    const arrivals = Array.from({ length: 60 }, (_, k): [number, number] => [(at += 200 + 150 * random(k)), k * 0.4]);
    const drawn = play(arrivals, 12_000);
    for (const step of steps(drawn)) expect(step).toBeGreaterThanOrEqual(0);
    for (const d of drawn) {
      const known = arrivals.filter(([ms]) => ms <= d.ms).at(-1);
      if (known) expect(d.s).toBeLessThanOrEqual(known[1] + 1e-9);
    }
  });

  it('stands still while the twin is paused and goes on after it', () => {
    const running = Array.from({ length: 10 }, (_, k): [number, number] => [k * 500, k * 0.5]);
    const paused = Array.from({ length: 10 }, (_, k): [number, number] => [5000 + k * 1000, 4.5]);
    const again = Array.from({ length: 10 }, (_, k): [number, number] => [15_000 + k * 500, 5 + k * 0.5]);
    const drawn = play([...running, ...paused, ...again], 19_500);
    const during = drawn.filter((d) => d.ms > 8000 && d.ms < 14_900);
    expect(during[0].s).toBeCloseTo(4.5, 6);
    expect(during.at(-1)!.s).toBeCloseTo(4.5, 6);
    expect(drawn.at(-1)!.s).toBeGreaterThan(8);
  });

  it('follows a change of speed', () => {
    const slow = Array.from({ length: 10 }, (_, k): [number, number] => [k * 1000, k]);
    const fast = Array.from({ length: 50 }, (_, k): [number, number] => [9000 + (k + 1) * 200, 9 + (k + 1) * 2]);
    const drawn = play([...slow, ...fast], 19_000);
    expect(fast.at(-1)![1] - drawn.at(-1)!.s).toBeLessThan(8);
  });

  it('is not misled by frames that were waiting in line', () => {
    const clock = new PlaybackClock();
    for (let k = 0; k < 6; k++) clock.arrive(k, 5000 + k, 1); // the page was busy for five seconds
    const first = clock.advance(5010);
    for (let ms = 5026; ms < 6000; ms += 16) clock.advance(ms);
    expect(clock.timeS - first).toBeLessThan(2);
    expect(clock.timeS).toBeLessThan(5);
  });

  it('starts afresh when time runs back', () => {
    const clock = new PlaybackClock();
    expect(clock.arrive(3000, 0)).toBe(true);
    expect(clock.arrive(3001, 1000)).toBe(false);
    expect(clock.arrive(0, 2000)).toBe(true);
    expect(clock.advance(2016)).toBe(0);
  });

  it('does not race through what a sleeping tab has missed', () => {
    const clock = new PlaybackClock();
    for (let k = 0; k < 5; k++) clock.arrive(k, k * 1000);
    clock.advance(4000);
    clock.arrive(600, 600_000);
    expect(clock.advance(600_016)).toBeGreaterThan(590);
  });
});

describe('Picture', () => {
  const frame = (timeS: number, x: number) => decodeFrame(buildFrame(timeS, [{ number: 1, x, y: 0, speed: 20 }]));
  const make = (): Picture => new Picture({ minX: 0, minY: 0, maxX: 65535, maxY: 65535 }, [0, 0]);

  it('goes from segment to segment without a jump in time', () => {
    const picture = make();
    let drawn = -1;
    let next = 0;
    for (let ms = 0; ms < 10_000; ms += 16) {
      if (ms >= next * 1000) {
        picture.push(frame(next, next * 5), ms);
        next++;
      }
      picture.advance(ms);
      const s = picture.segment!;
      const at = s.fromS + (s.toS - s.fromS) * picture.mix;
      expect(at).toBeGreaterThanOrEqual(drawn - 1e-6);
      drawn = at;
    }
    expect(drawn).toBeGreaterThan(7);
  });

  it('shows one frame at rest and reports no change after that', () => {
    const picture = make();
    picture.push(frame(5, 10), 0);
    expect(picture.advance(0)).toBe(true);
    expect(picture.advance(16)).toBe(false);
    expect(picture.segment!.count).toBe(1);
  });

  it('forgets the old run when the window starts again', () => {
    const picture = make();
    for (let k = 0; k < 4; k++) picture.push(frame(3596 + k, k), k * 1000);
    picture.advance(3900);
    picture.push(frame(0, 60_000), 4000);
    picture.advance(4016);
    expect([picture.segment!.fromS, picture.segment!.toS, picture.segment!.count]).toEqual([0, 0, 1]);
  });

  it('shows no vehicle of now where nothing is known of the past', () => {
    const picture = make();
    picture.push(frame(5, 10), 0);
    picture.advance(0);
    picture.showNothing();
    picture.push(frame(6, 12), 1000);
    expect([picture.isPast, picture.advance(1000), picture.segment]).toEqual([true, true, null]);
    picture.showPast(null, frame(2, 4), 2);
    expect(picture.segment!.count).toBe(1);
    picture.leavePast();
    expect([picture.isPast, picture.segment]).toEqual([false, null]);
  });
});
