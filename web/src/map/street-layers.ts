/** Streets and areas as layers: made anew when the theme changes, drawn again only when the camera moves. */

import { PathLayer, SolidPolygonLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import type { LaneKind, Paths, Polygons } from './geometry';
import type { Palette, Rgba } from './palette';

/** From far off a lane is narrower than a pixel: streets must still be seen, and their edges told from the ground. */
const LANE_MIN_PX = 1.8;
const CASING_MIN_PX = 3.2;

/** common: what all layers share (`commonProps`). opacity: less than 1 where tiles lie below. */
export function streetLayers(common: object, paths: Paths, areas: Polygons, palette: Palette, opacity: number): Layer[] {
  const colours: Record<LaneKind, Rgba> = {
    road: palette.road,
    bus: palette.bus,
    tram: palette.tram,
    bicycle: palette.bicycle,
    pedestrian: palette.pedestrian,
  };
  const points = paths.positions.length / 2;
  const vertexColours = new Uint8Array(points * 4);
  const vertexWidths = new Float32Array(points);
  for (let row = 0; row < paths.count; row++) {
    for (let p = paths.starts[row]; p < paths.starts[row + 1]; p++) {
      vertexColours.set(colours[paths.kinds[row]], 4 * p);
      vertexWidths[p] = paths.widths[row];
    }
  }
  const pathData = (extra: object): object => ({
    length: paths.count,
    startIndices: paths.starts,
    attributes: { getPath: { value: paths.positions, size: 2 }, ...extra },
  });
  const path = { ...common, _pathType: 'open', widthUnits: 'meters', jointRounded: true, opacity };
  return [
    new PathLayer({
      ...path,
      id: 'casing',
      data: pathData({ getWidth: { value: vertexWidths.map((w) => w + 0.9), size: 1 } }) as never,
      getColor: palette.casing,
      widthMinPixels: CASING_MIN_PX,
      capRounded: true,
    } as never),
    new SolidPolygonLayer({
      ...common,
      id: 'areas',
      opacity,
      data: {
        length: areas.count,
        startIndices: areas.starts,
        attributes: { getPolygon: { value: areas.positions, size: 2 } },
      },
      _normalize: false,
      filled: true,
      extruded: false,
      getFillColor: palette.area,
    } as never),
    new PathLayer({
      ...path,
      id: 'lanes',
      data: pathData({
        getWidth: { value: vertexWidths.map((w) => Math.max(0.4, w - 0.22)), size: 1 },
        getColor: { value: vertexColours, size: 4, normalized: true },
      }) as never,
      widthMinPixels: LANE_MIN_PX,
    } as never),
  ];
}
