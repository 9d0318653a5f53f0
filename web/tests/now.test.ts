import { describe, expect, it } from 'vitest';
import { lastMetres } from '../src/now/lane-parts';

describe('the last metres of a lane', () => {
  const bent = [0, 0, 100, 0, 100, 50];
  it('end at its end, around the bend', () => {
    expect(lastMetres(bent, () => 30)).toEqual({ points: [100, 20, 100, 50], share: 0.2 });
    expect(lastMetres(bent, () => 60)).toEqual({ points: [90, 0, 100, 0, 100, 50], share: 0.4 });
  });
  it('are the whole lane at most, and nothing at least', () => {
    expect(lastMetres(bent, () => 900)).toEqual({ points: bent, share: 1 });
    expect(lastMetres(bent, (whole) => whole)).toEqual({ points: bent, share: 1 });
    expect(lastMetres(bent, () => -5).points).toEqual([100, 50]);
    expect(lastMetres([5, 5, 5, 5], () => 3).share).toBe(0);
  });
});

describe('the tour of the wall', () => {
  it('goes from the city round the worst places and back', async () => {
    const { stopOf } = await import('../src/rooms/wall/tour');
    expect([0, 1, 2, 3, 4].map((stop) => stopOf(stop, 2))).toEqual([-1, 0, 1, -1, 0]);
    expect(stopOf(7, 0)).toBe(-1);
  });
});
