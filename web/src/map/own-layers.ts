/** The layers that the map draws itself, for the legend. */

import { text } from '../text';
import { getState } from '../state/store';
import { registerLayer, type LegendKey } from './layers';
import { css, PALETTES, type Palette, type Rgba } from './palette';

/** Zoom from which signal heads stand where the circles were. */
export const HEADS_ZOOM = 16.1;

const palette = (): Palette => PALETTES[getState().theme];
const key = (colour: Rgba, label: string, shape: LegendKey['shape']): LegendKey => ({ colour: css(colour), label, shape });

export function registerOwnLayers(): void {
  registerLayer({
    id: 'junctions',
    label: text.legend.delay,
    order: 10,
    on: true,
    keys: (zoom) => (zoom < HEADS_ZOOM ? [key(palette().unknown, text.legend.unknown, 'round')] : []),
  });
  registerLayer({
    id: 'heads',
    label: text.legend.heads,
    order: 40,
    on: true,
    keys: (zoom) => {
      const { lamps } = palette();
      if (zoom < HEADS_ZOOM) return [];
      return [
        key(lamps.green, text.legend.green, 'head'),
        key(lamps.permitted, text.legend.yields, 'head'),
        key(lamps.yellow, text.legend.yellow, 'head'),
        key(lamps.red, text.legend.red, 'head'),
      ];
    },
  });
  registerLayer({
    id: 'vehicles',
    label: text.legend.vehicles,
    order: 50,
    on: true,
    keys: () => [
      key(palette().moving, text.legend.moving, 'car'),
      key(palette().standing, text.legend.standing, 'car'),
      key(palette().transit, text.legend.transit, 'car'),
    ],
  });
}
