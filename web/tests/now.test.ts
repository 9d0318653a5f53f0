import { describe, expect, it } from 'vitest';
import { inOrder } from '../src/ui/held';
import { nameApproach } from '../src/now/approach-name';
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

describe('the worst places', () => {
  it('show the figures that the list of junctions shows, and are in their order', async () => {
    const { ranked } = await import('../src/now/store');
    const { setState } = await import('../src/state/store');
    setState({ geometry: { junctions: [{ id: 'A' }, { id: 'B' }] }, snapshot: { junction_standing_veh: [6.9, 7.3] } } as never);
    const told = [{ junction: 'A', standing_veh: 7.1 }, { junction: 'B', standing_veh: 7.0 }, { junction: 'gone', standing_veh: 2 }] as never;
    expect(ranked(told).map((one) => [one.junction, one.standing_veh])).toEqual([['B', 7.3], ['A', 6.9], ['gone', 2]]);
    setState({ geometry: null, snapshot: null });
  });
});

describe('lists that keep still', () => {
  it('keep the order they had, with new entries last and gone ones left out', () => {
    const key = (one: { id: string }): string => one.id;
    const live = ['d', 'b', 'a'].map((id) => ({ id }));
    expect(inOrder(live, ['a', 'b', 'c'], key).map(key)).toEqual(['a', 'b', 'd']);
    expect(inOrder(live, [], key).map(key)).toEqual(['d', 'b', 'a']);
  });
});

describe('an approach', () => {
  const geometry = { lanes: { edge: [0, 1], width_m: [3, 3], use: [1, 1], points: [[0, 50, 0, 5], [-50, 0, -5, 0]] }, edges: { id: ['n1', '-186#16'], from_node: [0, 1], to_node: [2, 2] } };
  it('is told by its street and the side it comes from, never by an id that says nothing', () => {
    expect(nameApproach('-186#16', '-186#16', geometry)).toBe('the approach from the west');
    expect(nameApproach('n1', 'Ring', geometry)).toBe('Ring from the north');
    expect(nameApproach('gone', '', geometry)).toBe('gone');
    expect(nameApproach('gone', 'Ring', null)).toBe('Ring');
  });
});
