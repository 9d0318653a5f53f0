import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PALETTES, type Rgba, type Theme } from '../src/map/palette';
import { apart, bytesOf, ciede2000, EYES, lab } from './color-vision';

const SOURCE = join(import.meta.dirname, '..', 'src');

type Pair = [string, readonly number[], readonly number[], number];

/** CIEDE2000, of which about 1 is just noticed. WELL_APART: told apart at a glance, small, across the room. TOLD:
 * told apart beside each other; each of these has a shape, a place or a word as well. */
const WELL_APART = 20;
const TOLD = 10;

/** Custom properties of a style sheet in one theme. */
function colours(path: string, theme: Theme): Record<string, readonly number[]> {
  const css = readFileSync(join(SOURCE, path), 'utf8');
  const found: Record<string, readonly number[]> = {};
  for (const [, selector, body] of css.matchAll(/([^{}]*:root[^{}]*)\{([^}]*)\}/g)) {
    if (selector.includes("'light'") && theme !== 'light') continue;
    for (const [, name, hex] of body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)) found[name] = bytesOf(hex);
  }
  return found;
}

/** Colours that rules of a style sheet give in one theme, by their selector's last word. */
function ruled(path: string, theme: Theme, pattern: RegExp): Record<string, readonly number[]> {
  const css = readFileSync(join(SOURCE, path), 'utf8');
  const found: Record<string, readonly number[]> = {};
  for (const [, selector, hex] of css.matchAll(/([^{}]+)\{[^}]*?(?:color|fill): (#[0-9a-f]{6});/g)) {
    if (selector.includes("'light'") && theme !== 'light') continue;
    const name = pattern.exec(selector)?.[0];
    if (name) found[name] = bytesOf(hex);
  }
  return found;
}

const among = (named: Record<string, readonly number[]>, names: readonly string[], least: number): Pair[] =>
  names.flatMap((one, k) => names.slice(k + 1).map((other): Pair => [`${one} and ${other}`, named[one], named[other], least]));

it('measures differences as published', () => {
  // pairs 1, 7 and 34 of the paper's table
  expect(ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(ciede2000([50, 0, 0], [50, -1, 2])).toBeCloseTo(2.3669, 4);
  expect(ciede2000([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514])).toBeCloseTo(0.9082, 4);
});

describe.each(['dark', 'light'] as Theme[])('colours of the %s theme', (theme) => {
  const p = PALETTES[theme];
  const style = colours('style.css', theme);
  const corridor = colours('rooms/corridor/corridor.css', theme);
  const cases = colours('rooms/cases/cases.css', theme);
  const lines = ruled('desk/desk.css', theme, /look-\d/);
  const difference = ruled('rooms/what-if/what-if.css', theme, /difference\.(more|less)/);
  const delay = p.delay.slice(1).map((colour, k): Pair => [`delay steps ${k} and ${k + 1}`, p.delay[k], colour, TOLD]);
  const pairs: Pair[] = [
    ['moving and standing vehicles', p.moving, p.standing, WELL_APART],
    ['a bus and a standing car', p.transit, p.standing, WELL_APART],
    ['a bus and a moving car', p.transit, p.moving, TOLD],
    ['vehicles and the street', p.moving, p.road, WELL_APART],
    ['standing vehicles and the street', p.standing, p.road, WELL_APART],
    ['a way and the street', p.mission.route, p.road, WELL_APART],
    ...among(p.lamps, ['green', 'permitted', 'yellow', 'red'], TOLD),
    ...(['green', 'permitted', 'yellow', 'red'] as const).map((lamp): Pair => [`${lamp} and nothing`, p.lamps[lamp], p.lamps.off, WELL_APART]),
    ...among(p.mission as unknown as Record<string, Rgba>, ['waiting', 'opening', 'green', 'passed', 'blocked'], TOLD),
    ...delay,
    ...p.delay.map((colour, k): Pair => [`delay step ${k} and not known`, colour, p.unknown, WELL_APART]),
    ...among(style, ['good', 'warn', 'critical'], TOLD),
    ['good and bad', style['good'], style['bad'], TOLD],
    ['arrivals and a queue', style['accent'], style['bad'], WELL_APART],
    ['a short queue and a full one', p.standing, p.queueFull, TOLD],
    ['a full queue and the street', p.queueFull, p.road, WELL_APART],
    ...among(p.urgency, ['urgent', 'high', 'medium', 'low'], TOLD),
    ...among(cases, ['u-urgent', 'u-high', 'u-medium', 'u-low'], TOLD),
    ...among(lines, ['look-0', 'look-1', 'look-2', 'look-3', 'look-4', 'look-5'], TOLD),
    ['less and more delay', difference['difference.less'], difference['difference.more'], WELL_APART],
    ...among(corridor, ['corridor-green', 'corridor-red', 'corridor-bus', 'corridor-emergency'], TOLD),
  ];

  it.each(EYES)('keeps apart what differs, seen with %s', (eye) => {
    const close = pairs.map(([name, a, b, least]) => [name, Math.round(apart(a, b, eye) * 10) / 10, least] as const).filter(([, is, least]) => !(is >= least));
    expect(close).toEqual([]);
  });

  it.each(EYES)('has a delay ramp of one-way lightness, seen with %s', (eye) => {
    const lightness = p.delay.map((colour) => lab(colour, eye)[0]);
    const steps = lightness.slice(1).map((value, k) => value - lightness[k]);
    expect(steps.every((step) => (theme === 'dark' ? step > 4 : step < -4))).toBe(true);
  });
});
