import { describe, expect, it } from 'vitest';
import { formatLeft, formatSigned, verdictOf } from '../src/desk/figures';
import { clockTicks, niceTicks } from '../src/desk/scale';
import { isNothing, NOTHING, partsOf, startOf, withClosure, withEvent, without, withPlan } from '../src/rooms/what-if/change';
import { en } from '../src/rooms/what-if/text/en';
import { ko } from '../src/rooms/what-if/text/ko';
import { zh } from '../src/rooms/what-if/text/zh';

describe('a change', () => {
  const change = {
    ...withEvent(withPlan(withClosure(NOTHING, { edge: 'E1', lanes: [1, 0] }), { junction: 'J', durations_s: [30, 20], offset_s: 0 }), { from_edge: 'A', to_edge: 'B', veh_per_h: 600 }),
    demand_factor: 1.2,
    control: 'max-pressure',
  };

  it('is told part by part', () => {
    expect(partsOf(change, en.change)).toEqual([
      'Close lane 0, 1 of E1',
      'Plan at J: 30 + 20 s',
      '600 veh/h from A to B',
      '20 % more traffic',
      'Control max-pressure',
    ]);
  });

  it('loses exactly the part that is taken out', () => {
    const all = partsOf(change, en.change);
    all.forEach((_, part) => {
      expect(partsOf(without(change, part), en.change)).toEqual(all.filter((_, k) => k !== part));
    });
    expect(isNothing(NOTHING)).toBe(true);
    expect(isNothing(without({ ...NOTHING, control: 'fixed' }, 0))).toBe(true);
  });

  it('begins with what the address closes', () => {
    expect(startOf({ edge: 'E1', lanes: '1,0,x' }).closures).toEqual([{ edge: 'E1', lanes: [0, 1] }]);
    expect(startOf({ lane: '-23_4_1' }).closures).toEqual([{ edge: '-23_4', lanes: [1] }]);
    for (const query of [{}, { lane: 'E1' }, { junction: 'J' }] as Record<string, string>[]) expect(startOf(query)).toEqual(NOTHING);
  });

  it('closes a section once', () => {
    const twice = withClosure(withClosure(NOTHING, { edge: 'E', lanes: [0] }), { edge: 'E', lanes: [] });
    expect(twice.closures).toEqual([{ edge: 'E', lanes: [] }]);
  });

  it('is told in each language', () => {
    for (const text of [ko, zh]) expect(partsOf(change, text.change).join(' ')).toMatch(/[가-힣]|[一-鿿]/);
  });
});

describe('figures with their uncertainty', () => {
  it('says no more than the interval', () => {
    expect(verdictOf(-3, -1, 'less')).toBe('better');
    expect(verdictOf(-3, -1, 'more')).toBe('worse');
    expect(verdictOf(1, 3, 'less')).toBe('worse');
    expect(verdictOf(-1, 3, 'less')).toBe('open');
    expect(verdictOf(null, null, 'less')).toBe('');
  });

  it('writes a real minus, and no sign before nothing', () => {
    expect(formatSigned(-3.14, 1)).toBe('−3.1');
    expect(formatSigned(2, 0)).toBe('+2');
    expect(formatSigned(-0.04, 1)).toBe('0.0');
  });

  it('tells the time left as people do', () => {
    const words = { seconds: (n: string) => `${n} s`, minutes: (n: string) => `${n} min`, hours: (n: string) => `${n} h` };
    expect([0.2, 60, 600, 9000].map((seconds) => formatLeft(seconds, words))).toEqual(['1 s', '60 s', '10 min', '2.5 h']);
  });

  it('has round numbers on its axes', () => {
    expect(niceTicks(0, 47, 4)).toEqual([0, 20, 40, 60]);
    expect(niceTicks(-8, 3, 4)).toEqual([-10, -5, 0, 5]);
    expect(clockTicks(1210, 2100)).toEqual([1500, 1800, 2100]);
  });
});
