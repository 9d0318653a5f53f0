import { describe, expect, it } from 'vitest';
import type { DispatchAnswer, DispatchQuestion } from '../src/api/mission-types';
import type { CityGeometry } from '../src/api/types';
import { USE } from '../src/map/geometry';
import { headingOf, oppositeOf, soonestWay } from '../src/rooms/missions/direction';
import { sectionIn } from '../src/map/street-names';
import { buildStreets } from '../src/map/streets';
import { stillSays } from '../src/rooms/missions/typed-place';

/** A street from node 0 to 1 in both directions, and a one-way street on to node 2. */
const geometry = {
  bounds_m: [0, 0, 200, 10],
  lanes: { edge: [0, 1, 2], width_m: [3, 3, 3], use: [USE.motor, USE.motor, USE.motor], points: [[0, 0, 100, 0], [100, 5, 0, 5], [100, 0, 200, 0]] },
  edges: { id: ['east', 'west', 'on'], from_node: [0, 1, 1], to_node: [1, 0, 2] },
  junctions: [], heads: [], places: [],
} as unknown as CityGeometry;
const streets = buildStreets(geometry);

describe('the direction of a street section', () => {
  it('has another, unless the street is one-way', () => {
    expect(oppositeOf('east', geometry, streets)).toBe('west');
    expect(oppositeOf('west', geometry, streets)).toBe('east');
    expect(oppositeOf('on', geometry, streets)).toBeNull();
  });
  it('is told by where it leads', () => {
    expect(headingOf('east', geometry)).toBe(2); // of eight from north on, clockwise
    expect(headingOf('west', geometry)).toBe(6);
  });
});

describe('what a person has written', () => {
  const named = { ...geometry, junctions: [{ id: 'J1', name: 'Bridge', x_m: 100, y_m: 0 }] } as unknown as CityGeometry;
  it('stays while the direction is found for it', () => {
    expect(stillSays('Bridge', 'east', named, streets)).toBe(true);
    expect(stillSays('bridge', 'west', named, streets)).toBe(true); // the same street, driven the other way
    expect(stillSays('Bridge', 'on', named, streets)).toBe(false);
    expect(stillSays('', 'east', named, streets)).toBe(false);
  });
  it('is that section and that direction where it is a section’s id', () => {
    expect(sectionIn('east', streets)).toBe('east');
    expect(sectionIn('Main Street (west)', streets)).toBe('west');
    expect(sectionIn('Bridge', streets)).toBeNull();
    expect(stillSays('east', 'west', named, streets)).toBe(false); // somebody turned it round
  });
});

describe('the way of a mission', () => {
  const times: Record<string, number> = { 'east→on': 20, 'west→on': 90, 'east→off': 60 };
  const ask = async ({ address, places }: DispatchQuestion): Promise<DispatchAnswer> => ({
    time_s: 0,
    unreachable: [],
    choices: Object.values(places).flatMap((edge) => {
      const time = times[`${edge}→${address}`];
      return time === undefined ? [] : [{ name: edge, edge, time_s: time, margin_s: 1, length_m: 10, chance_first: 1, edges: [] }];
    }),
  });
  it('takes of both directions the one that is there sooner', async () => {
    expect(await soonestWay(['west', 'east'], ['off', 'on'], ask)).toMatchObject({ from: 'east', to: 'on' });
  });
  it('keeps the direction that a person chose', async () => {
    expect(await soonestWay(['west'], ['on'], ask)).toMatchObject({ from: 'west', to: 'on' });
  });
  it('is none where no street leads there', async () => {
    expect(await soonestWay(['west'], ['off'], ask)).toBeNull();
  });
});
