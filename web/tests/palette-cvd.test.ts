import { describe, expect, it } from 'vitest';
import { PALETTES, type Rgba, type Theme } from '../src/map/palette';

type Triple = [number, number, number];

// Machado, Oliveira & Fernandes, "A physiologically-based model for simulation of color vision deficiency",
// IEEE Trans. Visualization and Computer Graphics 15(6), 2009: severity 1.0, on linear RGB
const SEEN_BY: Record<string, Triple[]> = {
  everybody: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const linear = (byte: number): number => {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const times = (matrix: Triple[], v: Triple): Triple => matrix.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as Triple;

/** CIE L*a*b* (D65) of a colour as somebody sees it. */
function lab(colour: Rgba, eye: string): Triple {
  const rgb = times(SEEN_BY[eye], [linear(colour[0]), linear(colour[1]), linear(colour[2])]).map((c) => Math.min(1, Math.max(0, c))) as Triple;
  const xyz = times(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    rgb,
  );
  const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const [x, y, z] = [f(xyz[0] / 0.95047), f(xyz[1]), f(xyz[2] / 1.08883)];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** CIE 1976 colour difference; 2.3 is just noticed (Mahy et al. 1994). */
const apart = (a: Rgba, b: Rgba, eye: string): number => Math.hypot(...(lab(a, eye).map((c, k) => c - lab(b, eye)[k]) as Triple));

/** Ten times what is just noticed: told apart at a glance, small, on a screen across the room. */
const WELL_APART = 23;
const TOLD = 12;

describe.each(['dark', 'light'] as Theme[])('palette of the %s theme', (theme) => {
  const p = PALETTES[theme];
  const pairs: [string, Rgba, Rgba, number][] = [
    ['moving and standing vehicles', p.moving, p.standing, WELL_APART],
    ['a bus and a standing car', p.transit, p.standing, WELL_APART],
    ['green and red', p.lamps.green, p.lamps.red, WELL_APART],
    ['yellow and red', p.lamps.yellow, p.lamps.red, WELL_APART],
    ['green and yellow', p.lamps.green, p.lamps.yellow, TOLD],
    ['green and nothing', p.lamps.green, p.lamps.off, WELL_APART],
    ['red and nothing', p.lamps.red, p.lamps.off, WELL_APART],
    ['vehicles and the street', p.moving, p.road, WELL_APART],
    ['standing vehicles and the street', p.standing, p.road, WELL_APART],
    ['a way and the street', p.mission.route, p.road, WELL_APART],
    ...p.delay.slice(1).map((colour, k): [string, Rgba, Rgba, number] => [`delay steps ${k} and ${k + 1}`, p.delay[k], colour, TOLD]),
  ];

  it.each(Object.keys(SEEN_BY))('keeps apart what differs, seen with %s', (eye) => {
    const close = pairs.map(([name, a, b, least]) => [name, Math.round(apart(a, b, eye)), least] as const).filter(([, is, least]) => is < least);
    expect(close).toEqual([]);
  });

  it.each(Object.keys(SEEN_BY))('has a delay ramp of one-way lightness, seen with %s', (eye) => {
    const lightness = p.delay.map((colour) => lab(colour, eye)[0]);
    const steps = lightness.slice(1).map((value, k) => value - lightness[k]);
    expect(steps.every((step) => (theme === 'dark' ? step > 4 : step < -4))).toBe(true);
  });
});
