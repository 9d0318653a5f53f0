import { afterEach, describe, expect, it } from 'vitest';
import { ProblemError } from '../src/api/client';
import { compare, errorSentences, formatAge, formatClock, formatDay, formatDistance, formatDuration, formatRealTime, formatSpeed, formatValue, formatZone, humanise, sentence, zoneName } from '../src/format';
import { chooseUnits } from '../src/units';
import { offsetMinutes, setCityZone } from '../src/zone';
import { Backoff } from '../src/live/backoff';
import { DELAY_STEPS_S, delayPosition, lampColour, PALETTES, writeDelayColour, type Theme } from '../src/map/palette';

describe('compare', () => {
  it('says better and worse by the meaning of the figure', () => {
    expect(compare(38.4, 61.2, 'lower', 1)).toEqual({ kind: 'better', difference: '−22.8 (−37 %)' });
    expect(compare(61.2, 38.4, 'lower', 1).kind).toBe('worse');
    expect(compare(5200, 4700, 'higher', 0)).toEqual({ kind: 'better', difference: '+500 (+11 %)' });
    expect(compare(4000, 4700, 'higher', 0).kind).toBe('worse');
  });

  it('does not make much of nothing', () => {
    expect(compare(40.04, 40, 'lower', 1).kind).toBe('same');
    expect(compare(1004, 1000, 'higher', 0).kind).toBe('same');
    expect(compare(0, 0, 'lower', 1)).toEqual({ kind: 'same', difference: '±0' });
  });

  it('gives no percentage of nothing', () => {
    expect(compare(12, 0, 'lower', 0)).toEqual({ kind: 'worse', difference: '+12' });
  });
});

describe('durations', () => {
  it.each([
    [0.4, '0 s'], [48, '48 s'], [59.6, '1 min'], [155, '2 min 35 s'], [3600, '1 h'], [3727, '1 h 2 min'], [100_000, '1 d 3 h'], [-12, '−12 s'], [-0.2, '0 s'],
  ])('%d s is %s, with its units', (seconds, words) => expect(formatDuration(seconds)).toBe(words));
  it('an age is told by its larger unit', () => {
    expect([7, 282, 7300, 200_000].map(formatAge)).toEqual(['7 s', '4 min', '2 h', '2 d']);
  });
});

describe('real times', () => {
  afterEach(() => setCityZone(''));
  it('are the city’s, with its zone, and say that they are real', () => {
    setCityZone('Asia/Seoul');
    expect(formatRealTime('2026-11-23T03:24:10Z')).toBe('23 Nov 2026, 12:24 GMT+9, real time');
  });
});

describe('clock', () => {
  afterEach(() => setCityZone(''));

  it('knows when the city changes its clocks', () => {
    setCityZone('Europe/Berlin');
    const epoch = '2026-03-28T23:00:00Z'; // midnight in Berlin; at 02:00 its clocks go to 03:00
    expect([0, 7199, 7200].map((timeS) => formatClock(epoch, timeS))).toEqual(['00:00:00', '01:59:59', '03:00:00']);
    expect([0, 7200].map((timeS) => formatZone(epoch, timeS))).toEqual(['CET', 'CEST']);
    expect(zoneName(epoch)).toBe('Europe/Berlin');
    expect(formatDay(epoch, 0)).toBe('Sun, 29 Mar 2026');
  });

  it('falls back on the offset of the epoch', () => {
    setCityZone('Atlantis/Main');
    const epoch = '2026-01-05T00:00:00-03:30';
    expect([formatClock(epoch, 0), formatZone(epoch, 0), zoneName(epoch)]).toEqual(['00:00:00', 'UTC−03:30', 'UTC−03:30']);
    expect(formatDay(epoch, 86_399)).toBe('Mon, 5 Jan 2026');
    expect(formatZone('2026-01-05T00:00:00Z', 0)).toBe('UTC');
  });

  it('shows the city’s own hours', () => {
    expect(formatClock('2026-01-05T00:00:00Z', 25200)).toBe('07:00:00');
    expect(formatClock('2026-01-05T00:00:00+01:00', 25200.9)).toBe('07:00:00');
    expect(formatClock('2026-01-05T00:00:00Z', 90061)).toBe('01:01:01');
    expect(formatClock('nonsense', 61)).toBe('00:01:01');
  });

  it('reads offsets', () => {
    expect([offsetMinutes('2026-01-05T00:00:00-03:30'), offsetMinutes('2026-01-05T00:00:00Z')]).toEqual([-210, 0]);
  });
});

describe('explanations', () => {
  it('are made readable', () => {
    expect(humanise('full_outlets')).toBe('full outlets');
    expect(humanise('demand_veh')).toBe('demand (veh)');
    expect(humanise('flow_veh_per_h')).toBe('flow (veh/h)');
    expect(formatValue({ a_b: 1.23456, c: [1, 'x', null] })).toBe('a b: 1.23, c: 1, x, –');
    expect(sentence('stage 2 serves more')).toBe('Stage 2 serves more.');
  });
});

describe('errors', () => {
  it('are told as what is wrong and what to do', () => {
    const died = 'what-if: a simulation of the future died\n  remedy: ask again; with another model where it happens twice';
    expect(errorSentences(died, 'what-if')).toBe('A simulation of the future died. Ask again; with another model where it happens twice.');
    expect(errorSentences('the state is gone', 'what-if')).toBe('The state is gone.');
    expect(errorSentences('')).toBe('');
  });
  it('that operators meet have words of their own, in every language', () => {
    const killed = 'what-if: a simulation of the future died: its process was ended by SIGKILL, as the kernel does when memory runs out\n  remedy: free memory';
    expect(errorSentences(killed, 'what-if')).toMatch(/^Its process was killed, as happens when memory runs out\. /);
    expect(errorSentences("case-7 cannot leave triage: 'Ask whether anybody is hurt' is open: do, or skip")).toBe('case-7 cannot go on: “Ask whether anybody is hurt” is open. Do it, or skip it with a reason.');
    expect(errorSentences('there is no way from its start to its end remedy: take others')).toContain('Choose others');
    expect(new ProblemError(409, 'Refused', 'nobody overrides this junction').message).toBe('Refused: Nobody overrides this junction any more.');
  });
});

describe('units', () => {
  afterEach(() => chooseUnits({ speed: 'km/h', distance: 'm' }));

  it('are metric at first', () => {
    expect([0, 13.89].map(formatSpeed)).toEqual(['0 km/h', '50 km/h']);
    expect([12.4, 994, 2340].map(formatDistance)).toEqual(['12 m', '994 m', '2.3 km']);
  });

  it('are those that were chosen, also in explanations', () => {
    chooseUnits({ speed: 'mph', distance: 'ft' });
    expect(formatSpeed(13.4112)).toBe('30 mph');
    expect([30.48, 1609.344].map(formatDistance)).toEqual(['100 ft', '1.0 mi']);
    expect([humanise('mean_speed_mps'), formatValue(13.4112, 'mean_speed_mps')]).toEqual(['mean speed (mph)', '30']);
    expect(formatValue({ gap_m: 3.048 })).toBe('gap (ft): 10');
    chooseUnits({ speed: 'm/s' });
    expect(formatSpeed(13.89)).toBe('13.9 m/s');
  });
});

describe('palette', () => {
  const luminance = ([r, g, b]: readonly number[]): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

  it.each(['dark', 'light'] as Theme[])('has a delay ramp of one-way lightness in the %s theme', (theme) => {
    const light = PALETTES[theme].delay.map(luminance);
    const signs = light.slice(1).map((value, k) => Math.sign(value - light[k]));
    expect(new Set(signs).size).toBe(1);
    expect(signs[0]).toBe(theme === 'dark' ? 1 : -1);
    expect(PALETTES[theme].delay.length).toBe(DELAY_STEPS_S.length);
  });

  it('places delays between the steps', () => {
    expect([delayPosition(-3), delayPosition(0), delayPosition(15), delayPosition(80), delayPosition(9999)]).toEqual([0, 0, 1.5, 5, 5]);
    const target = new Uint8Array(8);
    writeDelayColour(PALETTES.dark, 9999, target, 4);
    expect([...target.slice(4)]).toEqual([...PALETTES.dark.delay[5]]);
  });

  it('knows every lamp character', () => {
    const { lamps } = PALETTES.dark;
    const of = (c: string) => lampColour(PALETTES.dark, c.charCodeAt(0));
    expect(of('G')).toBe(lamps.green);
    expect(of('g')).toBe(lamps.permitted);
    expect(of('y')).toBe(lamps.yellow);
    expect([of('r'), of('s')]).toEqual([lamps.red, lamps.red]);
    expect([of('o'), of('?')]).toEqual([lamps.off, lamps.off]);
  });
});

describe('Backoff', () => {
  it('doubles up to its limit, and begins again', () => {
    const backoff = new Backoff(400, 8000, () => 0.5);
    expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([400, 800, 1600, 3200, 6400, 8000, 8000]);
    backoff.reset();
    expect(backoff.next()).toBe(400);
  });
});
