/** What moves and changes as layers: vehicles, junctions, signal heads, and between them what others draw. */

import { LineLayer, ScatterplotLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import type { Picture } from '../live/picture';
import type { Heads } from './geometry';
import type { JunctionMarks } from './junction-marks';
import { drawLayers, isOn, type Drawing } from './layers';
import type { Palette } from './palette';
import { VehicleLayer } from './vehicle-layer';

/** Zooms between which circles give way to heads, and dots to shapes. */
const HEADS_FROM = 15.6;
export const HEADS_FULL = 16.6;
const SHAPES_FROM = 15.2;
const SHAPES_FULL = 17;

const share = (value: number, from: number, to: number): number => Math.min(1, Math.max(0, (value - from) / (to - from)));

export interface Scene {
  /** What all layers share. */
  common: object;
  origin: readonly [number, number];
  zoom: number;
  picture: Picture;
  palette: Palette;
  marks: JunctionMarks;
  heads: Heads;
  hovered: number | null;
  selected: number | null;
}

export function trafficLayers(scene: Scene): Layer[] {
  const { common, zoom, picture, palette, marks, hovered, selected } = scene;
  const near = share(zoom, HEADS_FROM, HEADS_FULL);
  const [x0, y0] = scene.origin;
  const drawing: Drawing = { common, origin: [x0, y0], at: (x, y) => [x - x0, y - y0], zoom };
  const layers: (Layer | null)[] = [
    ...drawLayers(drawing, 0, 40, picture.isPast),
    ...(isOn('heads') && zoom > HEADS_FROM - 0.5 ? headLayers(scene, near) : []),
    new VehicleLayer({
      ...common,
      id: 'vehicles',
      visible: isOn('vehicles'),
      data: [],
      picture,
      palette,
      minPixels: 3.4 + 2.6 * share(zoom, 11, 15),
      shapeShare: share(zoom, SHAPES_FROM, SHAPES_FULL),
    } as never),
    new ScatterplotLayer({
      ...common,
      radiusUnits: 'pixels',
      radiusScale: 4 + 4 * share(zoom, 11, 15),
      lineWidthUnits: 'pixels',
      id: 'junctions',
      visible: near < 1 && isOn('junctions'),
      opacity: 1 - near,
      data: {
        length: marks.count,
        attributes: {
          getPosition: { value: marks.positions, size: 2 },
          getFillColor: { value: marks.junctionColours, size: 4, normalized: true },
          getRadius: { value: marks.radius.slice(), size: 1 },
        },
      },
      stroked: true,
      getLineColor: palette.outline,
      getLineWidth: 1.5,
    } as never),
    ...drawLayers(drawing, 40, Infinity, picture.isPast),
    ring(scene, 'hovered', hovered === selected ? null : hovered, 1.5, near),
    ring(scene, 'selected', selected, 2.5, near),
  ];
  return layers.filter((layer) => layer !== null);
}

/** Around one junction. */
function ring({ common, marks, palette }: Scene, id: string, row: number | null, width: number, near: number): Layer | null {
  if (row === null) return null;
  return new ScatterplotLayer({
    ...common,
    id,
    data: { length: 1, attributes: { getPosition: { value: marks.positions.slice(2 * row, 2 * row + 2), size: 2 } } },
    radiusUnits: 'pixels',
    getRadius: 12 + 14 * near,
    filled: false,
    stroked: true,
    lineWidthUnits: 'pixels',
    getLineWidth: width,
    getLineColor: palette.focus,
  } as never);
}

/** Signal heads as bars across their lanes. Made only where they soon show: they take a while to compile. */
function headLayers({ common, heads, marks, palette }: Scene, near: number): Layer[] {
  const bars = {
    length: heads.count,
    attributes: {
      getSourcePosition: { value: heads.source, size: 2 },
      getTargetPosition: { value: heads.target, size: 2 },
    },
  };
  return [
    new LineLayer({
      ...common,
      id: 'housings',
      visible: near > 0,
      opacity: near,
      data: bars,
      widthUnits: 'meters',
      getWidth: 2.1,
      antialiasing: true,
      widthMinPixels: 5,
      getColor: palette.housing,
    } as never),
    new LineLayer({
      ...common,
      id: 'heads',
      visible: near > 0,
      opacity: near,
      data: {
        length: heads.count,
        attributes: { ...bars.attributes, getColor: { value: marks.headColours, size: 4, normalized: true } },
      },
      widthUnits: 'meters',
      getWidth: 1.3,
      antialiasing: true,
      widthMinPixels: 3,
    } as never),
  ];
}
