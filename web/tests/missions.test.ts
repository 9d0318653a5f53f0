import { describe, expect, it } from 'vitest';
import type { MissionBrief, Passage } from '../src/api/mission-types';
import type { CityGeometry } from '../src/api/types';
import { announcement, arrivalRange, drivenAt, extendTrail, formatArrival, formatSigned, lateness, latenessShown, phaseOf, placeAt, predictionError, progress, sortMissions, wonShown } from '../src/rooms/missions/model';
import { nameOf, resolvePlace, whereIs } from '../src/map/street-names';
import { buildStreets, lineOf, nearestStreet, pointOn, splitLine } from '../src/map/streets';
import { suggest } from '../src/rooms/missions/typed-place';

const passage = (change: Partial<Passage>): Passage => ({
  junction: 'A', distance_m: 100, state: 'ahead', edge: '', stage: '', predicted_s: null, first_predicted_s: null,
  opened_s: null, passed_s: null, released_s: null, cross_wait_veh_s: 0, reason: '', shown: false, ...change,
});
const brief = (id: string, change: Partial<MissionBrief> = {}): MissionBrief => ({
  id, vehicle: id, kind: 'ambulance', urgency: 2, from_edge: 'a', to_edge: 'b', created_s: 0, state: 'tracked', end: '',
  ended_s: null, x_m: null, y_m: null, speed_mps: null, heading_deg: null, fix_s: null, length_m: 0, progress_m: 0, eta_s: null, eta_margin_s: null,
  eta_without_s: null, won_s: null, cross_wait_veh_s: 0, replanned: 0, next_junction: '', ...change,
});

describe('phases of a corridor', () => {
  it('a junction is green only when its stage shows', () => {
    expect(phaseOf(passage({ state: 'open' }), false)).toBe('opening');
    expect(phaseOf(passage({ state: 'open', shown: true }), false)).toBe('green');
    expect(phaseOf(passage({ state: 'ahead', shown: true }), false)).toBe('waiting');
  });
  it('one that was passed stays passed, whatever becomes of it', () => {
    expect(phaseOf(passage({ state: 'released', passed_s: 7 }), true)).toBe('passed');
    expect(phaseOf(passage({ state: 'recovers' }), false)).toBe('passed');
  });
  it('says who waits for another mission and what was given back', () => {
    expect(phaseOf(passage({ state: 'waits' }), false)).toBe('blocked');
    expect(phaseOf(passage({ state: 'held-back' }), false)).toBe('returned');
    expect(phaseOf(passage({ state: 'open', opened_s: 3 }), true)).toBe('returned');
    expect(phaseOf(passage({ state: 'ahead' }), true)).toBe('waiting');
  });
});

describe('predictions', () => {
  it('lateness is against the first prediction', () => {
    expect(lateness(passage({ first_predicted_s: 100, predicted_s: 104 }))).toBe(4);
    expect(lateness(passage({ first_predicted_s: 100, predicted_s: 104, passed_s: 97 }))).toBe(-3);
    expect(lateness(passage({ predicted_s: 104 }))).toBeNull();
    // beside the times: 00:01:40 and 00:01:44 are four seconds apart
    expect(latenessShown(passage({ first_predicted_s: 100.9, predicted_s: 104.1 }))).toBe(4);
  });
  it('the mean error counts passed junctions only', () => {
    const passages = [passage({ first_predicted_s: 10, passed_s: 14 }), passage({ first_predicted_s: 20, passed_s: 18 }), passage({ first_predicted_s: 30, predicted_s: 99 })];
    expect(predictionError(passages)).toBe(3);
    expect(predictionError([passage({ first_predicted_s: 30 })])).toBeNull();
  });
});

describe('the list', () => {
  it('shows the most urgent first, then who arrives first, then what is over', () => {
    const underWay = [brief('slow', { eta_s: 90 }), brief('soon', { eta_s: 50 }), brief('life', { urgency: 3, eta_s: 999 }), brief('new')];
    const ended = [brief('old', { state: 'ended' }), brief('soon', { state: 'ended' })];
    expect(sortMissions(underWay, ended).map((one) => one.id)).toEqual(['life', 'soon', 'slow', 'new', 'old']);
  });
  it('progress stays within the way', () => {
    expect(progress(brief('a', { length_m: 200, progress_m: 50 }))).toBe(0.25);
    expect(progress(brief('a', { length_m: 200, progress_m: 500 }))).toBe(1);
    expect(progress(brief('a'))).toBe(0);
  });
});

describe('words for times and ways', () => {
  it('signs differences', () => {
    expect([4, -12, 0.3, 75].map(formatSigned)).toEqual(['+4 s', '−12 s', '±0 s', '+1 min 15 s']);
  });
  it('an arrival has its uncertainty', () => {
    expect(formatArrival('2026-01-05T08:00:00+00:00', { eta_s: 940, eta_margin_s: 12 }, 900)).toBe('08:15:40 ± 12 s');
    expect(formatArrival('2026-01-05T08:00:00+00:00', { eta_s: 940, eta_margin_s: 149 }, 871)).toBe('08:14:31–08:18:09');
    expect(arrivalRange({ eta_s: 940, eta_margin_s: 149 }, 871)).toEqual([871, 1089]);
    expect(formatArrival('2026-01-05T08:00:00+00:00', { eta_s: null, eta_margin_s: null }, 900)).toBe('');
  });
  it('what is only expected to be won is told in steps', () => {
    expect([-12, 38, 2].map((s) => wonShown({ state: 'tracked' }, s))).toEqual([10, 40, 0]);
    expect(wonShown({ state: 'ended' }, -12.4)).toBe(12.4);
  });
  it('screen readers hear of changes, not of every second', () => {
    const one = { ...brief('a'), edges: [], passages: [], refused: {}, note: '' };
    const say = (): string => 'said';
    expect(announcement(null, one, say)).toBe('said');
    expect(announcement(one, { ...one, progress_m: 9 }, say)).toBe('');
    expect(announcement(one, { ...one, state: 'lost' }, say)).toBe('said');
  });
});

describe('the mark of a vehicle', () => {
  const fix = brief('a', { x_m: 100, y_m: 50, speed_mps: 10, heading_deg: 90, fix_s: 60 });
  const trail = extendTrail(extendTrail([], { ...fix, x_m: 80, fix_s: 58 }), fix);
  it('lies between the positions that were told, at the second that is drawn', () => {
    expect(placeAt(trail, fix, 59)).toEqual([90, 50]);
    expect(placeAt(trail, fix, 10)).toEqual([80, 50]);
  });
  it('is carried on from the newest, but not for long', () => {
    expect(placeAt(trail, fix, 61.5)?.[0]).toBe(115);
    expect(placeAt(trail, fix, 90)?.[0]).toBe(130);
    expect(placeAt(trail, { ...fix, heading_deg: null }, 61)).toEqual([100, 50]);
    expect(placeAt([], brief('b'), 61)).toBeNull();
  });
  it('starts anew when time goes back, and does not grow for ever', () => {
    expect(extendTrail(trail, { ...fix, fix_s: 3 })).toHaveLength(1);
    expect(extendTrail(trail, fix)).toBe(trail);
    let long = trail;
    for (let k = 0; k < 50; k++) long = extendTrail(long, { ...fix, fix_s: 61 + k });
    expect(long).toHaveLength(20);
  });
  it('the way behind it ends where it is drawn', () => {
    const mission = { ...fix, progress_m: 200 };
    expect(drivenAt(mission, 61, 59)).toBe(180);
    expect(drivenAt(mission, 61, 70)).toBe(200);
    expect(drivenAt({ ...mission, end: 'arrived' }, 61, 59)).toBe(Infinity);
  });
});

const geometry: CityGeometry = {
  bounds_m: [0, 0, 200, 100],
  lanes: {
    edge: [0, 0, 1, 2],
    width_m: [2, 3, 3, 2],
    use: [16, 1, 1, 16],
    points: [[0, 5, 100, 5], [0, 0, 100, 0], [100, 0, 100, 80], [0, 90, 200, 90]],
  },
  edges: { id: ['west', 'north', 'path'], from_node: [0, 1, 2], to_node: [1, 2, 3] },
  junctions: [{ id: 'J1', name: 'Main / First', x_m: 101, y_m: 1 }],
  heads: [],
  places: [{ id: 'hospital-1', kind: 'hospital', name: 'Saint Mary', edge: 'north', x_m: 100, y_m: 40 }],
};

describe('streets', () => {
  const streets = buildStreets(geometry);
  it('a way is the line of its sections, those for cars', () => {
    expect(lineOf(streets, ['west', 'north', 'nowhere'])).toEqual([0, 0, 100, 0, 100, 0, 100, 80]);
  });
  it('a way is cut where the vehicle is', () => {
    expect(splitLine([0, 0, 100, 0, 100, 80], 120)).toEqual([[0, 0, 100, 0, 100, 20], [100, 20, 100, 80]]);
    expect(splitLine([0, 0, 100, 0], Infinity)).toEqual([[0, 0, 100, 0], []]);
    expect(splitLine([0, 0, 100, 0], 0)).toEqual([[0, 0, 0, 0], [0, 0, 100, 0]]);
  });
  it('a click finds the nearest section for cars within reach', () => {
    expect(nearestStreet(streets, 50, 6, 30)?.id).toBe('west');
    expect(nearestStreet(streets, 130, 60, 40)).toEqual({ id: 'north', awayM: 30 });
    expect(nearestStreet(streets, 20, 88, 30)).toBeNull(); // a footpath
  });
  it('people name places, junctions or sections', () => {
    expect(resolvePlace(' saint mary ', geometry, streets)).toBe('north');
    expect(resolvePlace('hospital-1', geometry, streets)).toBe('north');
    expect(resolvePlace('main / first', geometry, streets)).toBe('west');
    expect(resolvePlace('path', geometry, streets)).toBe('path');
    expect(resolvePlace('atlantis', geometry, streets)).toBeNull();
    expect(nameOf('north', geometry)).toBe('Saint Mary');
    expect(nameOf('west', geometry)).toBe('west');
    expect(whereIs('north', geometry, streets)).toEqual({ name: 'Saint Mary', near: '' });
    expect(whereIs('west', geometry, streets)).toEqual({ name: 'west', near: 'Main / First' });
  });
  it('hospitals are suggested where a mission goes to, the nearest first', () => {
    const far = { id: 'hospital-2', kind: 'hospital', name: 'Saint John', edge: 'path', x_m: 9000, y_m: 0 };
    const two = { ...geometry, places: [far, ...geometry.places] } as CityGeometry;
    expect(suggest(two, 'to', 'west').map((place) => place.name)).toEqual(['Saint Mary', 'Saint John']);
    expect(suggest(two, 'to', undefined)).toHaveLength(2);
    expect(suggest(two, 'from', undefined)).toEqual([]);
  });
  it('a section is called by its street, with its id', () => {
    const named = { ...geometry, edges: { ...geometry.edges, name: ['West Road', '', ''] } } as CityGeometry;
    expect(nameOf('west', named)).toBe('West Road (west)');
    expect(whereIs('west', named, buildStreets(named))).toEqual({ name: 'West Road (west)', near: 'Main / First' });
    expect(resolvePlace(nameOf('west', named), named, buildStreets(named))).toBe('west');
    expect(nameOf('north', named)).toBe('Saint Mary');
  });
  it('a mark stands in the middle of its section', () => {
    expect(pointOn(streets, 'north')).toEqual([100, 40]);
    expect(pointOn(streets, 'nowhere')).toBeNull();
  });
});
