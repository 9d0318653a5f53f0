/** Junctions and signal heads on the map: where they stand, and their colours of the newest frame. */

import type { CityGeometry } from '../api/types';
import { UNKNOWN_U16, type Frame } from '../live/frame';
import type { Heads } from './geometry';
import { lampColour, writeDelayColour, type Palette } from './palette';

type Known = Pick<Frame, 'delay' | 'lamp'>;
const NOTHING: Known = { delay: new Uint16Array(0), lamp: new Uint8Array(0) };

export class JunctionMarks {
  readonly count: number;
  /** x, y of each junction, from the origin. */
  readonly positions: Float32Array;
  readonly radius: Float32Array;
  junctionColours: Uint8Array;
  headColours: Uint8Array;
  private lastLamp: Uint8Array | null = null;

  constructor(
    junctions: CityGeometry['junctions'],
    private readonly heads: Heads,
    origin: readonly [number, number],
  ) {
    this.count = junctions.length;
    this.positions = new Float32Array(this.count * 2);
    junctions.forEach((j, row) => {
      this.positions[2 * row] = j.x_m - origin[0];
      this.positions[2 * row + 1] = j.y_m - origin[1];
    });
    this.radius = new Float32Array(this.count).fill(1);
    this.junctionColours = new Uint8Array(this.count * 4);
    this.headColours = new Uint8Array(heads.count * 4);
  }

  /** Colours of a frame, or of nothing known; again: the theme is another one. */
  colour(frame: Known | null, palette: Palette, again = false): void {
    if (again) this.lastLamp = null;
    this.colourJunctions(frame ?? NOTHING, palette);
    this.colourHeads(frame ?? NOTHING, palette);
  }

  /** Row of the junction nearest to a point (from the origin), within reach; null where there is none. */
  find(x: number, y: number, reach: number): number | null {
    let best = -1;
    let bestSquare = reach * reach;
    for (let row = 0; row < this.count; row++) {
      const dx = this.positions[2 * row] - x;
      const dy = this.positions[2 * row + 1] - y;
      const square = dx * dx + dy * dy;
      if (square < bestSquare) {
        best = row;
        bestSquare = square;
      }
    }
    return best < 0 ? null : best;
  }

  private colourJunctions(frame: Known, palette: Palette): void {
    const colours = new Uint8Array(this.count * 4);
    for (let row = 0; row < this.count; row++) {
      const tenths = row < frame.delay.length ? frame.delay[row] : UNKNOWN_U16;
      if (tenths === UNKNOWN_U16) {
        colours.set(palette.unknown, 4 * row);
        this.radius[row] = 0.7;
      } else {
        writeDelayColour(palette, tenths / 10, colours, 4 * row);
        this.radius[row] = 0.8 + 0.8 * Math.sqrt(Math.min(1, tenths / 800)); // the worse ones are seen from afar, in a quiet city too
      }
    }
    this.junctionColours = colours;
  }

  private colourHeads(frame: Known, palette: Palette): void {
    if (this.lastLamp && same(this.lastLamp, frame.lamp)) return;
    this.lastLamp = frame.lamp;
    const colours = new Uint8Array(this.heads.count * 4);
    for (let row = 0; row < this.heads.count; row++) {
      const group = this.heads.group[row];
      colours.set(lampColour(palette, group < frame.lamp.length ? frame.lamp[group] : 0), 4 * row);
    }
    this.headColours = colours;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
