import { besideOf } from '../src/now/worst-layer';
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

describe('a cause of the worst list', () => {
  const cause = { kind: 'unknown', remedy: 'show-stage', says: '', figures: { queue_veh: 7.2 }, about: 'n1', name: 'Ring', stage: 's1', stage_state: '', chosen: '', road: '', road_name: '', approach: '' };
  const place = { junction: 'A', standing_veh: 7, queue_veh: 7, delay_s: null, fullest: '', fullest_share: 0, causes: [], held_for: null };
  const junctions = [{ id: 'A', name: 'Ring / Hauptstraße', x_m: 0, y_m: 0 }, { id: 'B', name: 'Bahnhof', x_m: 100, y_m: 0 }];
  const geometry = { junctions, lanes: { edge: [0], width_m: [3], use: [1], points: [[0, 50, 0, 5]] }, edges: { id: ['n1'], from_node: [0], to_node: [1] }, places: [{ id: 'h', name: 'Klinikum', edge: 'h1' }] };
  const told = async (change: object, at: object = {}): Promise<[string, string]> => {
    const { causeInWords, remedyInWords } = await import('../src/now/worst');
    const { setState } = await import('../src/state/store');
    setState({ geometry, city: { epoch: '2026-11-23T06:00:00Z' }, snapshot: { time_s: 600 } } as never);
    const one = { ...cause, ...change };
    const said: [string, string] = [causeInWords({ ...place, ...at } as never, one as never), remedyInWords(one as never)];
    setState({ geometry: null, city: null, snapshot: null });
    return said;
  };
  it('says once for all places that nothing is known to be wrong, and then of each only where most wait', async () => {
    const { calmInWords, causeInList } = await import('../src/now/worst');
    const calm = { ...place, causes: [cause] } as never;
    const wrong = { ...place, causes: [{ ...cause, kind: 'demand' }] } as never;
    expect(calmInWords([calm, calm], false)).toContain('nothing is known to be wrong');
    expect(calmInWords([calm, wrong], false)).toContain('Where only a queue is named');
    expect([calmInWords([wrong], false), calmInWords([], true)]).toEqual(['', '']);
    // beside a sign that counts a full road the list does not say that there is none
    expect([[calm, calm], [calm, wrong]].flatMap((places) => [calmInWords(places, false), calmInWords(places, true)]).map((said) => said.includes('full road'))).toEqual([true, false, true, false]);
    expect(causeInList(calm)).toMatch(/^Most wait on Ring/);
    expect(causeInList(wrong)).toContain('Demand beyond capacity');
  });
  it('names the full road and the junction where it must empty, and no stage', async () => {
    const [said, remedy] = await told({ kind: 'spill-back', remedy: 'look-downstream', about: 'B', stage: '', approach: 'n1', road: 'AB', road_name: 'Schillerstraße', figures: { queue_veh: 7.2, full_share: 0.38 } });
    expect(said).toBe('The road ahead of Ring from the north, Schillerstraße, has been full for 38 % of the last two minutes: 7 wait before it, and green here does not help');
    expect(remedy).toBe('Look at Bahnhof, where it must empty');
    expect((await told({ kind: 'spill-back', remedy: 'look-downstream', about: 'B', name: '', figures: { full_share: 0.93 } }))[0]).toBe('The road ahead of it, the road to Bahnhof, has been full for 93 % of the last two minutes: green here does not help');
    expect((await told({ kind: 'spill-back', remedy: 'look-downstream', about: '' }))[1]).toBe('Look at the junction');
  });
  it('are joined by the full roads that none of them names', async () => {
    const { unnamedOf } = await import('../src/now/full-roads');
    const { nameFull } = await import('../src/now/drain');
    const full = ['AB', 'BC'].map((road) => ({ junction: 'A', cause: { ...cause, kind: 'spill-back', about: 'B', road } })) as never[];
    const names = { ...place, causes: [{ ...cause, kind: 'spill-back', road: 'AB' }] };
    const hides = { ...place, causes: [cause, { ...cause, kind: 'spill-back', road: 'BC' }] };
    expect(unnamedOf(full, [names, hides] as never).map(({ cause: one }) => one.road)).toEqual(['BC']);
    expect(nameFull(full[0])).toBe('the road to B');
  });
  it('have their ranks on the map as the list is read, while that is kept', async () => {
    const { ranksShown } = await import('../src/now/worst-layer');
    const { nowStore } = await import('../src/now/store');
    const [kept, live] = [[place], [{ ...place, junction: 'B' }]] as never[];
    nowStore.set({ worst: live, listed: kept });
    expect(ranksShown()).toBe(kept);
    nowStore.set({ listed: null });
    expect(ranksShown()).toBe(live);
    nowStore.set({ worst: null });
  });
  it('offers the stage that empties a full road, where it does, with what the brain there thinks of it', async () => {
    const { drainInWords, reasonInWords, requestInWords } = await import('../src/now/drain');
    const { setState } = await import('../src/state/store');
    setState({ geometry, city: { epoch: '2026-11-23T06:00:00Z' } } as never);
    const drain = { kind: 'empty', junction: 'B', stage: 's2', road: 'AB', road_name: '', serves: 1, shut: '', feeds: '', feeder: '', feeder_name: '', held_by: '', stage_state: '', chosen: '', from_s: null, more_veh_s: null };
    const say = (change: object): string => drainInWords({ ...drain, ...change } as never);
    expect(say({})).toBe('Stage s2 at Bahnhof empties it');
    expect(say({ serves: 0.25, shut: 'A' })).toBe('Stage s2 at Bahnhof lets 25 % of them out; the others have to wait: the road on to Ring / Hauptstraße is full, too');
    expect(say({ stage_state: 'costs-more', chosen: 's1', more_veh_s: 41 })).toContain('; the brain there expects 41 vehicle-seconds more of it than of s1');
    expect(say({ kind: 'hold-back', junction: 'A', feeder: 'n1', feeder_name: 'Ring' })).toBe('No stage ahead has room for them; stage s2 at Ring / Hauptstraße sends nobody more in and holds Ring from the north back');
    expect(say({ feeds: 'A' })).toBe('Stage s2 at Bahnhof empties it; it also lets vehicles into the full road to Ring / Hauptstraße');
    expect(say({ kind: 'held', held_by: 'Ambulance 7' })).toBe('Bahnhof, where it must empty, is held by Ambulance 7');
    expect(requestInWords({ ...drain, stage_state: 'shown' } as never)).toBe('Keep stage s2 at Bahnhof');
    expect(reasonInWords({ ...cause, about: 'B', drain } as never)).toBe('Empties the full road: the road to Bahnhof');
    setState({ geometry: null, city: null });
    expect((await told({ kind: 'spill-back', remedy: 'request-drain', about: 'B', drain }))[1]).toBe('Request stage s2 at Bahnhof');
  });
  it('tells what the brain has in mind with the stage instead of asking for it', async () => {
    const reasons = { remedy: 'see-reasons' };
    expect((await told({ ...reasons, stage_state: 'shown' }))[0]).toContain('; stage s1, which serves them, is shown now');
    expect((await told({ ...reasons, stage_state: 'next', figures: { queue_veh: 7, from_s: 612 } }))[0]).toContain('comes next, at 06:10:12');
    const [costs, remedy] = await told({ ...reasons, stage_state: 'costs-more', chosen: 's3', figures: { queue_veh: 7, more_veh_s: 145.4 } });
    expect(costs).toContain('with stage s1 it expects 145 vehicle-seconds more than with s3');
    expect(remedy).toBe('See the brain’s reasons');
    const [same] = await told({ ...reasons, stage_state: 'costs-more', chosen: 's3', figures: { queue_veh: 7, more_veh_s: 1.2 } });
    expect(same).toContain('it expects about the same delay with stage s1 as with s3');
    expect((await told({}))[1]).toBe('Request stage s1');
  });
  it('says how far an incident is, and that it is at the junction', async () => {
    const incident = { kind: 'incident', remedy: 'open-incident', stage: '' };
    expect((await told({ ...incident, figures: { distance_m: 40.2 } }))[0]).toBe('An incident, 40 m away');
    expect((await told({ ...incident, figures: { distance_m: 0.3 } }))[0]).toBe('An incident at the junction');
  });
  it('names the ambulance by its call sign and whereto, and the bus by its line', async () => {
    const priority = { kind: 'priority', remedy: 'follow-mission', about: 'm-c1c37bba', name: 'Ambulance 7', figures: {} };
    const ambulance = { id: 'm-c1c37bba', kind: 'ambulance', name: 'Ambulance 7', to_edge: 'h1', stage: 's2', until_s: 640 };
    expect((await told(priority, { held_for: ambulance }))[0]).toBe('Held for Ambulance 7 to Klinikum until about 06:10:40');
    expect((await told(priority, { held_for: { ...ambulance, until_s: null } }))[0]).toBe('Held for Ambulance 7 to Klinikum');
    const bus = { id: '10_frequency1.43', kind: 'bus', name: '10', to_edge: '', stage: 's2', until_s: null };
    expect((await told({ ...priority, remedy: 'look-at-junction' }, { held_for: bus }))).toEqual(['Held for bus line 10', 'Look at the junction']);
  });
});

describe('ranks on the map', () => {
  it('stand away from their neighbour’s', () => {
    const [first, third, far] = [{ x_m: 0, y_m: 0 }, { x_m: 10, y_m: -20 }, { x_m: 5000, y_m: 0 }];
    const all = [first, third, far];
    expect(besideOf(first, all)).toEqual([-17, -15]);
    expect(besideOf(third, all)).toEqual([17, 15]);
    expect(besideOf(far, all)).toEqual([17, -15]);
  });
});
