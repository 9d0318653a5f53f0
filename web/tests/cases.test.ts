import { describe, expect, it } from 'vitest';
import type { AlarmGroup, CaseFile, CaseState, CaseStep, CaseSummary, CaseUrgency } from '../src/api/case-types';
import {
  forward,
  highest,
  holding,
  keepChosen,
  movesInOrder,
  nextDue,
  notConfirmed,
  pagesOf,
  passedBy,
  pressureOf,
  rowsInSight,
  scrollFor,
  shapeOf,
  sortGroups,
  stepsNow,
  withoutClosed,
  workedOn,
} from '../src/rooms/cases/model';
import { eventWords } from '../src/rooms/cases/words';
import { drivenLanes, placeAt, placeOf } from '../src/rooms/cases/places';
import { mondayOf, niceTop, sparkline, weekAfter, weekOf } from '../src/rooms/shift/weeks';

const NOW = Date.parse('2026-11-22T03:00:00Z');
const at = (seconds: number): string => new Date(NOW + 1000 * seconds).toISOString();
const step = (id: string, more: Partial<CaseStep> = {}): CaseStep => ({
  id, title: id, role: 'operator', during: 'triage', state: 'open', due: null, by: '', at: null, required: false, ...more,
}); // prettier-ignore
const file = (state: CaseState, steps: CaseStep[], deadline: string | null = null): CaseFile =>
  ({ case: { state, deadline }, steps, moves: [] }) as unknown as CaseFile;

describe('the half of the room that keys work on', () => {
  it('is the chosen one, unless its list has gone with its last row and the other is there', () => {
    const there = (...panes: string[]) => (pane: string): boolean => panes.includes(pane);
    expect(workedOn('cases', there('alarms'))).toBe('alarms'); // the last case was closed: `s` still shelves
    expect(workedOn('cases', there('alarms', 'cases'))).toBe('cases');
    expect(workedOn('alarms', there('cases'))).toBe('cases');
    expect(workedOn('cases', there())).toBe('cases');
  });
  it('does not list a case that is known to be closed', () => {
    const list = [{ id: 'case-1' }, { id: 'case-2' }] as unknown as CaseSummary[];
    const known = (state: CaseState): CaseFile => ({ case: { id: 'case-2', state } }) as unknown as CaseFile;
    expect(withoutClosed(list, known('closed')).map((one) => one.id)).toEqual(['case-1']);
    expect(withoutClosed(list, known('clearing'))).toBe(list);
  });
});

describe('time that is left', () => {
  it('presses as it gets short', () => {
    expect(pressureOf(null, NOW)).toBe('none');
    expect(pressureOf(at(300), NOW)).toBe('calm');
    expect(pressureOf(at(30), NOW)).toBe('soon');
    expect(pressureOf(at(-1), NOW)).toBe('over');
  });

  it('is that of what is due first, of steps that are still open', () => {
    const steps = [step('a', { due: at(20), state: 'done' }), step('b', { due: at(60) })];
    expect(nextDue(file('triage', steps, at(120)))).toBe(at(60));
    expect(nextDue(file('triage', []))).toBeNull();
  });
});

describe('the way of a case', () => {
  it('shows the way forward first, and closing it last', () => {
    expect(movesInOrder('assignment', ['triage', 'on_scene', 'closed'])).toEqual(['on_scene', 'triage', 'closed']);
    expect(movesInOrder('clearing', ['on_scene', 'closed'])).toEqual(['closed', 'on_scene']);
    expect(forward('reception', ['triage', 'closed'])).toBe('triage');
    expect(forward('clearing', ['on_scene', 'closed'])).toBe('closed');
    expect(forward('closed', ['triage'])).toBeNull();
  });

  it('is held by required steps of the state it is in', () => {
    const steps = [step('old', { during: 'reception', required: true }), step('must', { required: true }), step('may'), step('did', { required: true, state: 'done' })];
    expect(holding(file('triage', steps)).map((one) => one.id)).toEqual(['must']);
    expect(stepsNow(file('triage', steps)).before.map((one) => one.id)).toEqual(['old']);
  });
});

describe('urgency', () => {
  it('has a shape of its own at each level, of one size', () => {
    const shapes = (['urgent', 'high', 'medium', 'low'] as CaseUrgency[]).map(shapeOf);
    expect(shapes.map((shape) => shape.length)).toEqual([4, 3, 4, 16]);
    for (const shape of shapes) for (const [x, y] of shape) expect(Math.hypot(x, y)).toBeLessThan(1.5);
    expect(shapes[0]).not.toEqual(shapes[2]);
    expect(highest(['low', 'high', 'medium'])).toBe('high');
    expect(highest([])).toBeNull();
  });

  it('orders groups: not noted before noted, then by urgency, the rest last', () => {
    const group = (id: string, urgency: CaseUrgency, unacknowledged: number): AlarmGroup => ({ id, urgency, unacknowledged }) as AlarmGroup;
    const groups = [group('rest', 'urgent', 9), group('a', 'high', 0), group('b', 'low', 1), group('c', 'medium', 2)];
    expect(sortGroups(groups).map((one) => one.id)).toEqual(['c', 'b', 'a', 'rest']);
  });
});

describe('a long list', () => {
  it('draws only what is in sight', () => {
    expect(rowsInSight(0, 460, 46, 10_000)).toEqual([0, 16]);
    expect(rowsInSight(46 * 5000, 460, 46, 10_000)).toEqual([4994, 5016]);
    expect(rowsInSight(46 * 9990, 460, 46, 10_000)).toEqual([9984, 10_000]);
    expect(rowsInSight(0, 460, 46, 0)).toEqual([0, 0]);
    expect(pagesOf(95, 105, 100)).toEqual([0, 100]);
    expect(scrollFor(3, 0, 460, 46)).toBeNull();
    expect(scrollFor(10, 0, 460, 46)).toBe(46);
    expect(scrollFor(2, 460, 460, 46)).toBe(92);
  });

  it('keeps what is chosen while rows come and go, and takes its successor when it has gone', () => {
    expect(keepChosen(['x', 'a', 'b'], 'a', 0)).toBe('a');
    expect(keepChosen(['b', 'c'], 'a', 1)).toBe('c');
    expect(keepChosen(['b'], 'a', 5)).toBe('b');
    expect(keepChosen([], 'a', 0)).toBeNull();
    expect(keepChosen(['b', 'c'], null, 0)).toBe('b');
  });
});

describe('the place of a report', () => {
  const geometry = {
    edges: { id: ['west', 'path'] },
    lanes: { edge: [0, 0, 0, 1], use: [16, 1, 1, 8], points: [[0, 3, 100, 3], [0, 0, 100, 0], [0, -3, 100, -3], [0, 50, 100, 50]] },
    junctions: [{ id: 'J1', name: 'Market', x_m: 100, y_m: 0 }],
    places: [{ id: 'h', name: 'Hospital', kind: 'hospital', edge: 'west' }],
  } as never;

  it('is a junction near the click, else the street, else the point', () => {
    expect(placeAt(95, 4, geometry)).toMatchObject({ junction: 'J1', edge: '' });
    expect(placeAt(40, 10, geometry)).toMatchObject({ junction: '', edge: 'west', x_m: 40, y_m: 10 });
    expect(placeAt(40, 900, geometry)).toMatchObject({ junction: '', edge: '' });
  });

  it('is found by the names that people use', () => {
    expect(placeOf('market', geometry)).toMatchObject({ junction: 'J1', x_m: 100 });
    expect(placeOf('Hospital', geometry)).toMatchObject({ edge: 'west' });
    expect(placeOf('nowhere', geometry)).toBeNull();
    expect(placeOf('', geometry)).toBeNull();
  });

  it('has its lanes numbered as the network numbers them, without pavements', () => {
    expect(drivenLanes('west', geometry)).toEqual([[1, 1], [2, 2]]);
    expect(drivenLanes('gone', geometry)).toEqual([]);
  });
});

describe('weeks', () => {
  it('are those of ISO 8601', () => {
    expect(weekOf(Date.parse('2026-11-22T23:59:00Z'))).toBe('2026-W47');
    expect(weekOf(Date.parse('2027-01-01T00:00:00Z'))).toBe('2026-W53');
    expect(weekOf(Date.parse('2027-01-04T00:00:00Z'))).toBe('2027-W01');
    expect(new Date(mondayOf('2026-W47')).toISOString()).toBe('2026-11-16T00:00:00.000Z');
    expect(weekAfter('2026-W53', 1)).toBe('2027-W01');
    expect(weekAfter('2027-W01', -1)).toBe('2026-W53');
  });

  it('are drawn to round numbers, and what is missing breaks the line', () => {
    expect(niceTop([3, 7])).toBe(10);
    expect(niceTop([0])).toBe(1);
    expect(niceTop([130])).toBe(200);
    expect(sparkline([0, 10, null, 5, 5], 100, 20)).toEqual(['0.0,20.0 25.0,0.0', '75.0,10.0 100.0,10.0']);
  });
});

describe('what really happened to a case', () => {
  const told = (state: CaseState, ...events: [string, Record<string, unknown>?][]): CaseFile =>
    ({ case: { state }, events: events.map(([what, detail], number) => ({ number, what, detail: detail ?? {} })) }) as unknown as CaseFile;

  it('knows the states that a closed case never was in', () => {
    const closed = { from: 'reception', to: 'closed' };
    expect(passedBy(told('closed', ['opened'], ['moved', closed]))).toEqual(['triage', 'assignment', 'on_scene', 'clearing']);
    expect(passedBy(told('closed', ['opened'], ['moved', { to: 'triage' }], ['moved', closed]))).toEqual(['assignment', 'on_scene', 'clearing']);
    expect(passedBy(told('triage', ['opened'], ['moved', { to: 'triage' }]))).toEqual([]);
    expect(passedBy(told('closed', ['moved', closed]))).toEqual([]); // the beginning of a long history is not known
  });

  it('says that nobody confirmed a report until somebody says or sees it', () => {
    const silent: [string, Record<string, unknown>] = ['not-confirmed', { incident: 'i', after_s: 900 }];
    expect(notConfirmed(told('reception', ['opened'], ['report'], silent, ['late']))?.what).toBe('not-confirmed');
    expect(notConfirmed(told('reception', ['opened'], ['report'], silent, ['report']))).toBeNull();
    expect(notConfirmed(told('reception', ['opened'], ['report'], silent, ['incident']))).toBeNull();
    expect(notConfirmed(told('closed', ['opened'], ['report'], silent, ['moved', { to: 'closed' }]))).toBeNull();
    expect(eventWords({ what: silent[0], detail: silent[1] })).toContain('for 15 min (city time)');
  });
});
