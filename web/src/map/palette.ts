/**
 * Colours. Delay uses a sequential ramp of even, one-way lightness (after ColorBrewer's YlOrBr, which is
 * safe for colour-blind readers): in the dark theme more delay is brighter, in the light theme darker.
 * Blue (moving) against orange (standing) is the pair that all common kinds of colour blindness tell apart.
 * `tests/palette-cvd.test.ts` holds all that must be told apart to it, the style sheets' states too.
 */

export type Rgba = [number, number, number, number];
export type Theme = 'dark' | 'light';

export interface Palette {
  background: string;
  casing: Rgba;
  road: Rgba;
  bus: Rgba;
  tram: Rgba;
  bicycle: Rgba;
  pedestrian: Rgba;
  area: Rgba;
  moving: Rgba;
  standing: Rgba;
  transit: Rgba;
  emergency: Rgba;
  vehicleEdge: Rgba;
  housing: Rgba;
  outline: Rgba;
  focus: Rgba;
  unknown: Rgba;
  delay: readonly Rgba[];
  /** A queue as far as its camera sees; a shorter one has the colour of standing vehicles. */
  queueFull: Rgba;
  /** Of cases on the map; told apart by shape, too. */
  urgency: { urgent: Rgba; high: Rgba; medium: Rgba; low: Rgba };
  lamps: { green: Rgba; permitted: Rgba; yellow: Rgba; red: Rgba; off: Rgba };
  mission: MissionColours;
}

/** Told apart by lightness and by the shape of their marks, too: rings, filled rings, discs. */
export interface MissionColours {
  route: Rgba;
  driven: Rgba;
  waiting: Rgba;
  opening: Rgba;
  green: Rgba;
  passed: Rgba;
  blocked: Rgba;
  text: Rgba;
  ground: Rgba;
}

const rgb = (hex: string, alpha = 255): Rgba => [
  parseInt(hex.slice(1, 3), 16),
  parseInt(hex.slice(3, 5), 16),
  parseInt(hex.slice(5, 7), 16),
  alpha,
];

export const PALETTES: Record<Theme, Palette> = {
  dark: {
    background: '#0e141b',
    casing: rgb('#1b2631'),
    road: rgb('#3a4a5a'),
    bus: rgb('#33373f'),
    tram: rgb('#262b36'),
    bicycle: rgb('#233430'),
    pedestrian: rgb('#1d2730'),
    area: rgb('#3a4a5a'),
    moving: rgb('#6fb7ee'),
    standing: rgb('#f59a45'),
    transit: rgb('#c9d6e2'),
    emergency: rgb('#ffffff'),
    vehicleEdge: rgb('#0a0f14'),
    housing: rgb('#06090d', 230),
    outline: rgb('#0a0f14', 235),
    focus: rgb('#ffffff'),
    unknown: rgb('#5d6b78'),
    delay: ['#4a4036', '#7a4a22', '#b8641c', '#ea8f30', '#ffc86b', '#fff0c0'].map((hex) => rgb(hex)),
    queueFull: rgb('#fa4c56'),
    urgency: { urgent: rgb('#ff6272'), high: rgb('#f39543'), medium: rgb('#ffd566'), low: rgb('#98c0e3') },
    lamps: { green: rgb('#1fd69a'), permitted: rgb('#b8f2de'), yellow: rgb('#ffd43b'), red: rgb('#ff4b55'), off: rgb('#55616d') },
    mission: {
      route: rgb('#ff6bb5', 235),
      driven: rgb('#8a5a78', 190),
      waiting: rgb('#a3b1bf'),
      opening: rgb('#ffd43b'),
      green: rgb('#1fd69a'),
      passed: rgb('#8a5a78'),
      blocked: rgb('#b79cff'),
      text: rgb('#e8eef4'),
      ground: rgb('#0e141b'),
    },
  },
  light: {
    background: '#eef1f3',
    casing: rgb('#a6b2bc'),
    road: rgb('#d2d9df'),
    bus: rgb('#ddd6c8'),
    tram: rgb('#cdc9d7'),
    bicycle: rgb('#cbddd2'),
    pedestrian: rgb('#dcdfe2'),
    area: rgb('#d2d9df'),
    moving: rgb('#1f6fb2'),
    standing: rgb('#d2640a'),
    transit: rgb('#33475a'),
    emergency: rgb('#b00020'),
    vehicleEdge: rgb('#ffffff'),
    housing: rgb('#27323c', 235),
    outline: rgb('#ffffff', 245),
    focus: rgb('#10202e'),
    unknown: rgb('#9aa6b0'),
    delay: ['#f1dfb4', '#f2bd6a', '#e3892b', '#bf5d10', '#88400b', '#4f2406'].map((hex) => rgb(hex)),
    queueFull: rgb('#be1428'),
    urgency: { urgent: rgb('#930b1b'), high: rgb('#b34900'), medium: rgb('#826845'), low: rgb('#29609e') },
    lamps: { green: rgb('#00c08b'), permitted: rgb('#8fe6c8'), yellow: rgb('#ffce1f'), red: rgb('#f03e48'), off: rgb('#76828d') },
    mission: {
      route: rgb('#c2187a', 235),
      driven: rgb('#d9a3c2', 220),
      waiting: rgb('#52616e'),
      opening: rgb('#e0a100'),
      green: rgb('#00a878'),
      passed: rgb('#b98aa6'),
      blocked: rgb('#6a44c9'),
      text: rgb('#16212b'),
      ground: rgb('#ffffff'),
    },
  },
};

/** Seconds of mean delay a vehicle at the steps of the ramp: the bounds of the levels of service A to F of signalised
 * junctions (HCM 7th ed., ch. 19), so that a city that runs well still shows which junction is its worst. */
export const DELAY_STEPS_S = [0, 10, 20, 35, 55, 80] as const;

/** Where a delay stands on the ramp, 0..DELAY_STEPS_S.length - 1, between steps in proportion. */
export function delayPosition(delayS: number): number {
  const last = DELAY_STEPS_S.length - 1;
  if (!(delayS > 0)) return 0;
  for (let step = 1; step <= last; step++) {
    if (delayS < DELAY_STEPS_S[step]) {
      const low = DELAY_STEPS_S[step - 1];
      return step - 1 + (delayS - low) / (DELAY_STEPS_S[step] - low);
    }
  }
  return last;
}

/** Write the colour of a delay into target at an offset (4 bytes). */
export function writeDelayColour(palette: Palette, delayS: number, target: Uint8Array, at: number): void {
  const position = delayPosition(delayS);
  const low = Math.min(Math.floor(position), palette.delay.length - 2);
  const share = position - low;
  const a = palette.delay[low];
  const b = palette.delay[low + 1];
  for (let k = 0; k < 3; k++) target[at + k] = Math.round(a[k] + (b[k] - a[k]) * share);
  target[at + 3] = 255;
}

/** Colour of a lamp character (ASCII code): G g y u r s o O. */
export function lampColour(palette: Palette, code: number): Rgba {
  switch (code) {
    case 71:
      return palette.lamps.green;
    case 103:
      return palette.lamps.permitted;
    case 121:
    case 89:
    case 117:
      return palette.lamps.yellow;
    case 114:
    case 115:
      return palette.lamps.red;
    default:
      return palette.lamps.off;
  }
}

export const css = (colour: Rgba): string => `rgb(${colour[0]} ${colour[1]} ${colour[2]} / ${colour[3] / 255})`;
