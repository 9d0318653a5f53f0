/** What an operator types, holds or is told, where the page alone decides: drafts, minutes, takeovers, words of the log. */

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { middleOf, paddingBeside } from '../src/map/map-canvas';
import { agoS } from '../src/rooms/cases/places';
import { eventWords, whyWords } from '../src/rooms/cases/words';
import { sameVehicle } from '../src/rooms/missions/model';
import { tellFigures } from '../src/rooms/junction/why';
import { keepDraft, readDraft } from '../src/state/draft';
import { changedHere, isOwn, personWords, takenFrom, type Held } from '../src/state/takeovers';

const held = (change: Partial<Held> = {}): Held => ({ junction: 'J1', action: 'stage', stage: 's1', actor: 'operator:anna', expires_s: 160, ...change });

describe('an override that somebody else changes', () => {
  it('is told with who took it', () => {
    expect(takenFrom([held()], [held({ actor: 'operator:olga', stage: 's2' })], 'operator:anna', 101)).toEqual([{ junction: 'J1', by: 'operator:olga' }]);
  });

  it('is told when it is given back before its time, and not when its time is over', () => {
    expect(takenFrom([held()], [], 'operator:anna', 101)).toEqual([{ junction: 'J1', by: '' }]);
    expect(takenFrom([held()], [], 'operator:anna', 160)).toEqual([]);
  });

  it('is told of the same log-in in another window, and not while only its end moves', () => {
    expect(takenFrom([held()], [held({ action: 'local', stage: '' })], 'operator:anna', 101)).toEqual([{ junction: 'J1', by: 'operator:anna' }]);
    expect(takenFrom([held()], [held({ expires_s: 170 })], 'operator:anna', 101)).toEqual([]);
  });

  it('of others is their matter', () => expect(takenFrom([held()], [], 'operator:olga', 101)).toEqual([]));

  it('that was changed in this window is no news', () => {
    expect(isOwn('J1')).toBe(false);
    changedHere('J1');
    expect(isOwn('J1')).toBe(true);
  });
});

it('a log-in is told without its role', () => {
  expect(personWords('operator:olga')).toBe('olga');
  expect(personWords('operator (demo)')).toBe('operator (demo)');
});

describe('what is typed', () => {
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    });
  });

  it('outlives a reload until it is sent', () => {
    keepDraft('report', { said: 'two cars' });
    expect(readDraft('report')).toEqual({ said: 'two cars' });
    keepDraft('report', null);
    expect(readDraft('report')).toBeNull();
  });

  it('that cannot be read is none', () => {
    kept.set('civicbrain-draft-report', '{');
    expect(readDraft('report')).toBeNull();
  });

  it('minutes ago are from none to a day', () => {
    expect([agoS(''), agoS('5'), agoS('0'), agoS('1440')]).toEqual([null, 300, 0, 86400]);
    expect([agoS('-5'), agoS('1441'), agoS('soon')]).toEqual([undefined, undefined, undefined]);
  });

  it('call signs mean one vehicle whoever writes them', () => {
    expect(sameVehicle('Ambulance 7', 'ambulance  7 ')).toBe(true);
    expect(sameVehicle('Ambulance 7', 'Ambulance 17')).toBe(false);
    expect(sameVehicle('', '')).toBe(false);
  });
});

describe('the log of a case', () => {
  const steps = new Map([['look', 'Look at the camera']]);

  it('says why the platform did something in words, and what people wrote as they wrote it', () => {
    expect(whyWords('entered assignment')).toBe('the case came to assignment');
    expect(whyWords('escalation reception:1')).toBe('overdue in reception, level 1');
    expect(whyWords('step look', steps)).toBe('step overdue: Look at the camera');
    expect(whyWords('by hand: they asked')).toBe('by hand: they asked');
    expect(whyWords('the bridge is closed')).toBe('the bridge is closed');
  });

  it('never says that a notice was sent to who has no address', () => {
    const detail = { to: 'ambulance', why: 'entered assignment', state: 'unaddressed' };
    expect(eventWords({ what: 'notice', detail })).toContain('no notice to');
    expect(eventWords({ what: 'notice', detail: { ...detail, state: 'waiting' } })).not.toContain('no notice');
  });

  it('names people without their role', () => {
    expect(eventWords({ what: 'handed-over', detail: { from: '', to: 'operator:olga' } })).toBe('handed over to olga');
  });
});

it('stages that cost the same are a tie, not a least and a next', () => {
  const reasons = { chosen: 's3', costs: [{ stage: 's3', cost: 761.6 }, { stage: 's1', cost: 762.2 }], worths: [] };
  const said = tellFigures(reasons as never, (stage) => stage);
  expect(said).toContain('same delay');
  expect(said).not.toContain('least');
});

it('a corridor without figures says at which signals no cycle was seen', async () => {
  const { whyNone } = await import('../src/rooms/corridor/figures');
  const stops = [{ junction: 'A', name: 'Ring', cycle_s: null }, { junction: 'B', name: '', cycle_s: 60 }] as never[];
  expect(whyNone({ bandwidth_s: null, stops })).toContain('less than twice at Ring,');
  expect(whyNone({ bandwidth_s: null, stops: stops.slice(1) })).toContain('same time');
  expect(whyNone({ bandwidth_s: 12, stops })).toBe('');
});

it('what cannot be read is said in words, not by its address', async () => {
  const { unreadable } = await import('../src/api/client');
  expect(unreadable('/v1/cases?open=true&limit=500')).toMatch(/^The cases could not be read/);
  expect(unreadable('/v1/strange/7')).not.toContain('/');
});

describe('what is shown on the map', () => {
  const map = { left: 72, top: 60, right: 1108, bottom: 900 };
  const legend = { left: 84, top: 428, right: 320, bottom: 858 };

  it('lies beside an open legend and above the player', () => {
    expect(paddingBeside(map, legend, null).left).toBeGreaterThanOrEqual(legend.right - map.left);
    expect(paddingBeside(map, null, { left: 84, top: 700, right: 1000, bottom: 880 }).bottom).toBeGreaterThanOrEqual(200);
  });

  it('is followed in the middle of what is free, not under the legend', () => {
    const [right, down] = middleOf(paddingBeside(map, legend, null));
    expect((map.left + map.right) / 2 + right).toBeCloseTo((legend.right + 12 + map.right - 60) / 2);
    expect(down).toBeGreaterThan(0);
  });

  it('keeps the whole map where the legend is closed, or the map too small for both', () => {
    const alone = paddingBeside(map, null, null);
    expect(alone.left).toBeLessThan(legend.right - map.left);
    expect(paddingBeside(map, { ...legend, top: 818 }, null)).toEqual(alone);
    expect(paddingBeside({ ...map, right: 390 + 72 }, legend, null)).toEqual(alone);
  });
});
