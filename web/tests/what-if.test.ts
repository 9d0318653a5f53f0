import { describe, expect, it } from 'vitest';
import { formatLeft, formatSigned, verdictOf } from '../src/desk/figures';
import { clockTicks, niceTicks } from '../src/desk/scale';
import { isNothing, NOTHING, partsOf, startOf, withClosure, withEvent, without, withPlan, wrapOffset } from '../src/rooms/what-if/change';
import { timesOf } from '../src/rooms/what-if/under-way';
import { readRefusal } from '../src/rooms/what-if/refusal';
import { readVerdict } from '../src/rooms/what-if/verdict';
import type { Answer, Band } from '../src/rooms/what-if/types';
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
      'Plan at J: 30 + 20 s, offset 0 s',
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

describe('one that is being worked out', () => {
  it('says since when, and how long yet once a part is done', () => {
    expect(timesOf({ elapsed_s: null, left_s: null })).toBe('');
    expect(timesOf({ elapsed_s: 40, left_s: null })).toBe('running for 40 s · time left is known after the first run');
    expect(timesOf({ elapsed_s: 100, left_s: 190 })).toBe('running for 1 min 40 s · about 3 min left');
  });
});

describe('a plan that is offered', () => {
  it('has an offset within its cycle', () => {
    expect(wrapOffset(-3, [50, 9, 36, 9])).toBe(101);
    expect(wrapOffset(104, [50, 9, 36, 9])).toBe(0);
    expect(wrapOffset(12.34, [60])).toBe(12.3);
    expect(wrapOffset(-0.01, [60])).toBe(0);
    expect(wrapOffset(5, [])).toBe(0);
  });
});

describe('a refusal', () => {
  const words = en.form.refused;
  it('is told at its field', () => {
    const detail = 'the body does not fit: Expected `float` >= 0.0 - at `$.change.plans[0].offset_s`';
    expect(readRefusal(detail, words)).toBe('Offset: at least 0.');
    expect(readRefusal('the body does not fit: Expected `float` <= 3600.0 - at `$.change.plans[0].durations_s[1]`', words)).toBe('Seconds of a stage: at most 3600.');
  });
  it('stays as it is where it is in words already', () => {
    expect(readRefusal('the plan of J gives stage s1 too little time', words)).toBe('the plan of J gives stage s1 too little time');
  });
});

describe('the verdict', () => {
  const answer = (difference: Band, pairs = 10, agreeing: number | null = 9): Answer => ({
    city: 'c', control: 'brain', model: 'micro', from_s: 0, to_s: 900, vehicles: 100, pairs, courses: [], edges: [], diverted: 0, notes: [],
    junctions: [{ id: 'J', against_veh_h: 1, change_veh_h: 1, difference }],
    indicators: [{ name: 'mean_delay', unit: 's', better: 'less', against: { mean: 25, low: null, high: null }, change: { mean: 22, low: null, high: null }, difference, agreeing }],
  });
  const say = (...given: Parameters<typeof answer>): string => readVerdict(answer(...given), en.answer.verdict)?.sentence ?? '';
  it('says how much, how long and how sure', () => {
    expect(say({ mean: -3, low: -4, high: -2 })).toBe('12 % less delay in the next 15 minutes; 9 of 10 pairs of runs agree.');
    expect(say({ mean: 0.1, low: 0.05, high: 0.2 }, 3, 3)).toBe('less than 1 % more delay in the next 15 minutes; 3 of 3 pairs of runs agree.');
  });
  it('claims nothing that may be chance', () => {
    expect(say({ mean: -1, low: -2.5, high: 0.5 })).toBe('No clear difference in delay in the next 15 minutes: between −10 % and +2 %.');
    expect(say({ mean: -3, low: null, high: null }, 1, 1)).toBe('12 % less delay in the next 15 minutes; one pair of runs only, so it may be chance.');
  });
  it('says that nothing changed', () => {
    expect(say({ mean: 0, low: 0, high: 0 })).toBe('No difference: nothing in the city changes in the next 15 minutes.');
  });
});

describe('notes of an answer', () => {
  it('are told in the reader’s language, and another one as it was said', async () => {
    const { noteInWords } = await import('../src/rooms/what-if/notes');
    expect(noteInWords('With the change, the brain does not decide at J1, J2: the plan holds.')).toBe('With the change, the brain does not decide at J1, J2: the plan holds.');
    expect(noteInWords('Something new.')).toBe('Something new.');
    const { ko } = await import('../src/rooms/what-if/text/ko');
    expect(ko.answer.note.planHolds('J1')).toContain('J1');
  });
});
