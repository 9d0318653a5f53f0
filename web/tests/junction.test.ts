import { describe, expect, it } from 'vitest';
import { compassOf } from '../src/map/compass';
import type { HeldFor } from '../src/now/api';
import { accountOf, progressOf } from '../src/rooms/junction/account';
import type { Holder, LedgerEntry, Override, PlanLane, Planned, PlannedBy } from '../src/rooms/junction/api';
import { clearOf, curve, endOf, fulfils, isEmptied, localStages, readExplanation, secondsLeft, total, queueNow } from '../src/rooms/junction/model';
import { greenFrom, sayGreen } from '../src/rooms/junction/naming';
import { tellAccount, tellFigures, tellWish, warnOf } from '../src/rooms/junction/why';
import { aheadSteps, missionsOf, pastOf, plannedLamps, stepsOf, timeScale } from '../src/rooms/junction/planned';

const lane = (...points: number[]): PlanLane => ({ id: 'l', edge: 'e', name: '', width_m: 3, use: 1, points, role: 'approach', seen: true });

it('labels of lanes side by side do not stand over each other', () => {
  const first = clearOf([], 0, 0, { x: 0, y: 1 });
  const [x, y] = clearOf([first], 2.5, 0, { x: 0, y: 1 });
  expect(first).toEqual([0, -5]);
  expect(Math.hypot(x - first[0], y - first[1])).toBeGreaterThanOrEqual(4.2);
});

describe('an override that is to empty a road', () => {
  const override = { junction: 'B', stage: 's2', since_s: 100 };
  const route = { item: 'B', query: { stage: 's2', reason: 'why', road: 'AB' } };
  it('is said to have done so once that road is full no longer, and no other', () => {
    const emptying = fulfils(route, override);
    const full = (...roads: string[]): never[] => roads.map((road) => ({ junction: 'A', cause: { road } })) as never[];
    expect([full('AB'), full('BC'), full()].map((now) => isEmptied(emptying, override, now))).toEqual([false, true, true]);
    expect(isEmptied(emptying, { ...override, since_s: 200 }, [])).toBe(false);
    expect(fulfils(route, { ...override, stage: 's1' })).toBeNull();
    expect(fulfils({ item: 'B', query: {} }, override)).toBeNull();
  });
});

describe('an override’s time', () => {
  it('counts whole seconds down to nought and no further', () => {
    expect(secondsLeft({ expires_s: 160 }, 100.2)).toBe(60);
    expect(secondsLeft({ expires_s: 160 }, 200)).toBe(0);
    expect(secondsLeft({ expires_s: 160 }, Number.NaN)).toBe(0);
  });
  it('ends as the record says, which may come a moment later', () => {
    const entry = (seq: number, time_s: number, what: string): LedgerEntry => ({ seq, kind: 'override', actor: 'runtime', time_s, body: { what, set_by: 'anna' } });
    const earlier = [entry(2, 90, 'expired'), entry(1, 30, 'begin')];
    const mine = { actor: 'anna', since_s: 100 };
    expect(endOf([entry(3, 100, 'begin'), ...earlier], mine)).toBeUndefined();
    expect(endOf([entry(4, 160, 'give back'), entry(3, 100, 'begin'), ...earlier], mine)?.seq).toBe(4);
    expect(endOf([entry(4, 160, 'give back')], { ...mine, actor: 'ben' })).toBeUndefined();
  });
});

describe('the local plan', () => {
  const plan = { id: 'p', steps: [{ stage: 'a', duration_s: 30 }, { stage: 'b', duration_s: 20 }], offset_s: 10, cycle_s: 50 };
  it('is where its clock says, also before its offset', () => {
    expect(localStages(plan, 0, 100)).toEqual([
      { from_s: 0, until_s: 10, value: 'b' },
      { from_s: 10, until_s: 40, value: 'a' },
      { from_s: 40, until_s: 60, value: 'b' },
      { from_s: 60, until_s: 90, value: 'a' },
      { from_s: 90, until_s: 100, value: 'b' },
    ]);
  });
  it('is nothing where there is none', () => {
    expect(localStages({ ...plan, steps: [] }, 0, 100)).toEqual([]);
    expect(localStages(plan, 5, 5)).toEqual([]);
  });
});

describe('the plan on the ground', () => {
  it('leads movements along both lanes', () => {
    const [a, b, c, d] = curve(lane(0, -50, 0, -10), lane(10, 0, 50, 0));
    expect([a, d]).toEqual([{ x: 0, y: -10 }, { x: 10, y: 0 }]);
    expect(b.x).toBeCloseTo(0);
    expect(b.y).toBeGreaterThan(-10);
    expect(c.y).toBeCloseTo(0);
  });
  it('knows whence an approach comes, and passes over pieces without length', () => {
    expect(compassOf([0, 50, 0, 10, 0, 10])).toBe(0); // drives south: from the north
    expect(compassOf([-50, 0, 0, 0])).toBe(6);
  });
});

describe('an explanation', () => {
  it('never calls a stage best that another one beats', () => {
    const read = (chosen: string) => tellFigures(readExplanation({ chosen, expected_delay_veh_s: { s3: 538, s2: 568 } }), (stage) => stage);
    expect(read('s3')).toContain('is least: 538');
    expect(read('s2')).toBe('s2 is not what the delay alone speaks for: 568 vehicle-seconds, where s3 would cost 538. A rule that goes before has chosen it.');
  });

  it('is read as costs, groups and what is left over', () => {
    const told = readExplanation({
      chosen: 'a', why: 'because', expected_delay_veh_s: { b: 20, a: 10 }, demand_veh: { g1: 2 }, queue_veh: { g1: 1, g2: 3 },
      full_outlets: ['g2'], reckoned_groups: ['g1'], mission: 'm-1', empty: {},
    });
    expect(told.costs.map((one) => one.stage)).toEqual(['a', 'b']);
    expect(told.groups).toEqual([
      { group: 'g1', demand: 2, queue: 1, reckoned: true, full: false },
      { group: 'g2', demand: null, queue: 3, reckoned: false, full: true },
    ]);
    expect(told.rest).toEqual({ mission: 'm-1' });
  });
  it('of another shape is taken as it comes', () => {
    const told = readExplanation({ stages: { a: { worth: 1, span_s: 5 }, b: { worth: 2 } }, pressure: { a: 4 } });
    expect(told.worths.map((one) => one.stage)).toEqual(['b', 'a']);
    expect(told.rest).toEqual({ pressure: { a: 4 } });
    expect(readExplanation({}).rest).toEqual({});
  });
});

it('sums what is known', () => {
  expect(total([1, null, 2])).toBe(3);
  expect(total([null])).toBeNull();
});

describe('what is planned', () => {
  const part = (from_s: number, until_s: number, stage: string, by: PlannedBy = 'brain', who = 'signals'): Planned => ({ from_s, until_s, stage, by, who });
  const stages = [
    { id: 'a', lamps: 'GGr', derived: false },
    { id: 'b', lamps: 'Grr', derived: false },
  ];

  it('stands right of now on a scale of its own', () => {
    const x = timeScale(1000, 100, 300);
    expect([700, 1000, 1030, 1060, 9999, 0].map((timeS) => Math.round(x(timeS)))).toEqual([100, 300, 350, 400, 400, 100]);
  });
  it('tells the lamps of each group, and merges what stays', () => {
    const planned = [part(0, 5, 'a'), part(5, 9, 'b'), part(9, 12, 'unknown'), part(12, 20, 'a'), part(30, 30, 'a', 'mission', 'M-1')];
    expect(plannedLamps(planned, stages, 0)).toEqual([
      { from_s: 0, until_s: 9, lamp: 'G' },
      { from_s: 12, until_s: 20, lamp: 'G' },
    ]);
    expect(plannedLamps(planned, stages, 1).map((one) => one.lamp)).toEqual(['G', 'r', 'G']);
    expect(plannedLamps(planned, stages, 7)).toEqual([]);
  });
  it('is told in words without repeating a stage, and missions apart', () => {
    const planned = [part(0, 5, 'a'), part(5, 9, 'a'), part(9, 12, 'b'), part(30, 30, 'a', 'mission', 'M-1'), part(990, 990, 'a', 'mission', 'M-2')];
    expect(stepsOf(planned).map(({ stage, until_s }) => [stage, until_s])).toEqual([['a', 9], ['b', 12]]);
    expect(missionsOf(planned, 0).map((one) => one.who)).toEqual(['M-1']);
  });
});

describe('a stage told by what gets green', () => {
  const arm = (edge: string, ...points: number[]): PlanLane => ({ ...lane(...points), edge });
  const lanes = [arm('n', 0, 50, 0, 5), arm('e', 50, 0, 5, 0), arm('s', 0, -50, 0, -5), arm('w', -50, 0, -5, 0)];
  const movements = [
    { from_lane: 0, to_lane: 0, group: 0, turn: 's' }, { from_lane: 2, to_lane: 0, group: 0, turn: 's' },
    { from_lane: 0, to_lane: 0, group: 1, turn: 'l' }, { from_lane: 2, to_lane: 0, group: 1, turn: 'l' },
    { from_lane: 1, to_lane: 0, group: 2, turn: 's' }, { from_lane: 3, to_lane: 0, group: 2, turn: 'l' },
    { from_lane: 1, to_lane: 0, group: -1, turn: 'r' },
  ];
  const plan = { lanes, movements };
  const stage = (lamps: string) => ({ id: 's1', lamps, derived: false });
  it('names the sides, and single turns apart', () => {
    expect(greenFrom(plan, 'Grrr')).toEqual([{ turn: '', from: [0, 4] }]);
    expect(greenFrom(plan, 'rGrr')).toEqual([{ turn: 'l', from: [0, 4] }]);
    expect(greenFrom(plan, 'GgGr')).toEqual([{ turn: '', from: [0, 2, 4, 6] }]);
    expect(sayGreen(plan, stage('Grrr'))).toBe('from north and south');
    expect(sayGreen(plan, stage('rGGr'))).toBe('from east and west; left turns from north and south');
  });
  it('takes a yielding left turn opposite for what it is, and U-turns with it', () => {
    const turning = { lanes, movements: [...movements, { from_lane: 1, to_lane: 0, group: 3, turn: 'l' }, { from_lane: 1, to_lane: 0, group: 3, turn: 't' }] };
    expect(sayGreen(turning, stage('GrrG'))).toBe('from north and south; left turns from east');
  });
  it('is for people on foot, or says nothing, where no vehicle has green', () => {
    expect(sayGreen(plan, stage('rrrG'), ['vehicle', 'vehicle', 'vehicle', 'pedestrian'])).toBe('people on foot');
    expect(sayGreen(plan, stage('rrrr'))).toBe('');
    expect(sayGreen(null, stage('Grrr'))).toBe('');
  });
});

const override: Override = { junction: 'J', action: 'stage', stage: 's3', actor: 'kim', reason: 'match', since_s: 3600, expires_s: 3665, accepted: true, note: '', duration_s: 60, shown_s: 3605 };
const ambulance: HeldFor = { id: 'm-1', kind: 'ambulance', name: 'Ambulance 7', to_edge: '', stage: 's1', until_s: 3640 };

describe('who has the junction', () => {
  const holder: Holder = { brain: 'signals', priority: 10, what: 's1', since_s: 1, expires_s: 9, mission: '', trip: '' };
  const shown = (stage: string | null, mode = 'central') => ({ stage, mode });
  const held = { override: null, holder, held_for: null };
  it('is told before any wish of the brain', () => {
    expect(accountOf(shown('s3', 'manual'), { ...held, override }, 's1').by).toBe('override');
    expect(accountOf(shown('s3', 'local'), held, 's1').by).toBe('local');
    expect(accountOf(shown('s3', 'forced'), { ...held, held_for: ambulance }, 's1')).toEqual({ by: 'vehicle', vehicle: ambulance, stage: 's1' });
    expect(accountOf(shown('s3'), { ...held, holder: { ...holder, brain: 'transit' } }, 's1').by).toBe('priority');
  });
  it('is the brain’s choice only where that is what is shown', () => {
    expect(accountOf(shown('s1'), held, 's1')).toEqual({ by: 'brain', shows: 'chosen' });
    expect(accountOf(shown('s2'), held, 's1')).toEqual({ by: 'brain', shows: 'other' });
    expect(accountOf(shown(null), null, 's1')).toEqual({ by: 'brain', shows: 'between' });
    expect(accountOf(shown('s2'), null, '').by).toBe('nobody');
  });
});

describe('why a stage is shown, beside an override', () => {
  const around = { name: (id: string) => `Stage ${id}`, epoch: '2026-11-23T00:00:00Z', nowS: 3620, geometry: null };
  const reasons = (chosen: string) => readExplanation({ chosen });
  const at = (stage: string | null, explained_s: number | null = 3619) => ({ stage, explained_s });
  const account = { by: 'override', override } as const;
  const now = (change: Partial<Override>, stage: string | null): string => tellAccount({ by: 'override', override: { ...override, ...change } }, at(stage), around);
  it('says who holds it, with which stage, since when and until when', () => {
    expect(now({}, 's3')).toBe('Stage s3 is shown from 01:00:05 until 01:01:05, because kim asked for it: “match”.');
    expect(now({ action: 'hold' }, 's3')).toBe('Stage s3 stays from 01:00:05 until 01:01:05, because kim holds it: “match”.');
    expect(now({ action: 'local', stage: '', shown_s: 3600, expires_s: 4500 }, 's1')).toContain('local plan from 01:00:00 until 01:15:00, because kim');
  });
  it('is honest while the lamps change, and when the stage is lost', () => {
    expect(now({ shown_s: null }, null)).toBe('The junction is being cleared for Stage s3, because kim asked for it at 01:00:00: “match”. Its 1 min begin when it is shown.');
    expect(now({}, 's1')).toContain('Now: Stage s1. Next: Stage s3, until 01:01:05');
    expect([progressOf(override, 's3'), progressOf({ ...override, shown_s: null }, 's3'), progressOf(override, null)]).toEqual(['runs', 'clearing', 'left']);
  });
  it('says what the brain would do now, by its latest word, and that it is silent where it is', () => {
    expect(tellWish(account, reasons('s3'), at('s3'), around)).toBe('Left to itself, the brain would go on with Stage s3 now.');
    expect(tellWish(account, reasons('s1'), at('s3'), around)).toBe('Left to itself, the brain would change to Stage s1 now.');
    expect(tellWish(account, reasons('s1'), at('s3', 3600), around)).toBe('What the brain would do now is not known: it last spoke of this junction at 01:00:00.');
    expect(tellWish(account, reasons(''), at('s3', null), around)).toContain('it says nothing');
    expect(tellWish(account, reasons('s3'), at(null), around)).toContain('weighs nothing');
  });
});

describe('a vehicle that has the junction', () => {
  const around = { name: (id: string) => `Stage ${id}`, epoch: '2026-11-23T00:00:00Z', nowS: 3620, geometry: null };
  it('is told up front to whoever would take it over, until about when', () => {
    expect(warnOf(ambulance, 's1', null, around.epoch, 3620)).toBe('Green for Ambulance 7 until about 01:00:40. An override goes before it.');
    expect(warnOf(ambulance, null, null, around.epoch, 3620)).toBe('Being made green for Ambulance 7, expected at about 01:00:40. An override goes before it.');
    expect(warnOf({ ...ambulance, kind: 'bus', name: '10', until_s: null }, 's1', null, around.epoch, 3620)).toBe('Green for bus line 10. An override goes before it.');
  });
  it('is why its stage is shown, by its call sign', () => {
    const account = { by: 'vehicle', vehicle: ambulance, stage: 's1' } as const;
    expect(tellAccount(account, { stage: 's1', explained_s: 3619 }, around)).toBe('Stage s1 is shown for Ambulance 7 until about 01:00:40.');
    expect(tellAccount(account, { stage: 's2', explained_s: 3619 }, around)).toBe('Now: Stage s2. Next: Stage s1, for Ambulance 7, expected at 01:00:40.');
  });
});

describe('the scale of the timeline', () => {
  it('names only seconds that keep apart, and shows less of the past where there is little room', () => {
    expect(aheadSteps(600)).toEqual([15, 30, 45]);
    expect(aheadSteps(320)).toEqual([30]);
    expect(aheadSteps(100)).toEqual([]);
    expect([pastOf(412), pastOf(700)]).toEqual([120, 300]);
  });
  it('does not tell the second in which a brain stops looking as a stage', () => {
    const part = (from_s: number, until_s: number, stage: string): Planned => ({ from_s, until_s, stage, by: 'brain', who: 'signals' });
    expect(stepsOf([part(0, 9, 'a'), part(9, 16, 'b'), part(16, 17, 'a')]).map((one) => one.stage)).toEqual(['a', 'b']);
    expect(stepsOf([part(0, 1, 'a')]).map((one) => one.stage)).toEqual(['a']);
  });
});

describe('the queue of a junction now', () => {
  it('is that of its approaches together', () => {
    expect(queueNow([{ now_veh: 3 }, { now_veh: null }, { now_veh: 4 }], 9)).toBe(7);
    expect(queueNow([{ now_veh: null }], 9)).toBe(9);
    expect(queueNow(undefined, null)).toBeNull();
  });
});
