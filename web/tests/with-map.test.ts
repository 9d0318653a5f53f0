import { afterEach, expect, test } from 'vitest';
import type { CityMap } from '../src/map/city-map';
import { setState } from '../src/state/store';
import { withMap } from '../src/state/with-map';

const map = (): CityMap => ({}) as CityMap;

afterEach(() => setState({ map: null, selected: null }));

test('what is asked of the map before it is made is done once it is there, the last wish alone', () => {
  const done: string[] = [];
  withMap(() => done.push('first'));
  withMap(() => done.push('last'));
  setState({ zoom: 12 });
  expect(done).toEqual([]);
  setState({ map: map() });
  expect(done).toEqual(['last']);
  setState({ map: map() });
  expect(done).toEqual(['last']);
});

test('it is done at once when the map is there, and not when a junction was chosen meanwhile', () => {
  const done: string[] = [];
  withMap(() => done.push('before'));
  setState({ selected: 3 });
  setState({ map: map() });
  expect(done).toEqual([]);
  withMap(() => done.push('at once'));
  expect(done).toEqual(['at once']);
});
