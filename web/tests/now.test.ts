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
