/**
 * From the city's metres to the map. Everything is drawn in metres from the city's centre (deck.gl's
 * 'meter-offsets': single precision is then good to a millimetre), turned by a small matrix because the
 * projected grid of a city seldom points exactly north.
 */

import type { Bounds } from '../live/segment';

/** lon = a x + b y + c, lat = d x + e y + f; x, y in city metres. */
export type LonLatAffine = readonly [number, number, number, number, number, number];

/** Metres in a degree of latitude on the sphere that web maps use (radius 6378137 m). */
const METRES_PER_DEGREE = (6378137 * Math.PI) / 180;

export interface CityProjection {
  /** City metres of the centre. */
  origin: [number, number];
  /** [longitude, latitude, 0] of the centre. */
  coordinateOrigin: [number, number, number];
  /** Column-major 4 x 4: metres from the centre in the city's plane to metres east and north. */
  modelMatrix: number[];
  toLonLat(x: number, y: number): [number, number];
  toMetres(lon: number, lat: number): [number, number];
}

export function makeProjection(bounds: Bounds, affine: LonLatAffine): CityProjection {
  const [a, b, c, d, e, f] = affine;
  const determinant = a * e - b * d;
  if (!Number.isFinite(determinant) || determinant === 0) throw new Error('the city has no usable lonlat_affine');
  const x0 = (bounds.minX + bounds.maxX) / 2;
  const y0 = (bounds.minY + bounds.maxY) / 2;
  const lon0 = a * x0 + b * y0 + c;
  const lat0 = d * x0 + e * y0 + f;
  const east = METRES_PER_DEGREE * Math.cos((lat0 * Math.PI) / 180);
  const north = METRES_PER_DEGREE;
  return {
    origin: [x0, y0],
    coordinateOrigin: [lon0, lat0, 0],
    modelMatrix: [a * east, d * north, 0, 0, b * east, e * north, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    toLonLat: (x, y) => [a * x + b * y + c, d * x + e * y + f],
    toMetres: (lon, lat) => {
      const u = lon - c;
      const v = lat - f;
      return [(e * u - b * v) / determinant, (a * v - d * u) / determinant];
    },
  };
}
