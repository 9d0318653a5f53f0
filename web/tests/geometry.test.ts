import { describe, expect, it } from 'vitest';
import type { CityGeometry } from '../src/api/types';
import { buildAreas, buildHeads, buildPaths, convexHull, laneKind } from '../src/map/geometry';
import { makeProjection } from '../src/map/projection';

const geometry: CityGeometry = {
  bounds_m: [0, 0, 200, 200],
  lanes: {
    edge: [0, 1, 2],
    width_m: [3, 3, 2],
    use: [1, 1 | 2, 16],
    points: [
      [0, 0, 90, 0],
      [100, 10, 100, 90],
      [0, 20],
    ],
  },
  edges: { id: [], from_node: [0, 1, 0], to_node: [1, 2, 1] },
  junctions: [],
  heads: [],
  places: [],
};

describe('buildPaths', () => {
  it('lays lanes one after the other, from the centre, and leaves out lanes of one point', () => {
    const paths = buildPaths(geometry.lanes, [10, 0]);
    expect(paths.count).toBe(2);
    expect([...paths.positions]).toEqual([-10, 0, 80, 0, 90, 10, 90, 90]);
    expect([...paths.starts]).toEqual([0, 2, 4]);
    expect(paths.kinds).toEqual(['road', 'road']);
  });

  it('calls a lane after its widest use', () => {
    expect([1, 3, 2, 4, 6, 8, 16, 32].map(laneKind)).toEqual(['road', 'road', 'bus', 'tram', 'bus', 'bicycle', 'pedestrian', 'road']);
  });
});

describe('buildAreas', () => {
  it('spans the corners of the lane ends that meet in a node', () => {
    const areas = buildAreas(geometry, [0, 0]);
    expect(areas.count).toBe(1); // node 1; the others see one lane end, which spans nothing
    const corners = [...areas.positions];
    expect(Math.min(...corners.filter((_, k) => k % 2 === 0))).toBeCloseTo(90);
    expect(Math.max(...corners.filter((_, k) => k % 2 === 0))).toBeCloseTo(101.5);
  });

  it('needs no edges', () => {
    expect(buildAreas({ ...geometry, edges: undefined }, [0, 0]).count).toBe(0);
  });
});

describe('convexHull', () => {
  it('drops what lies inside', () => {
    expect(convexHull([[0, 0], [4, 0], [4, 4], [0, 4], [2, 2], [2, 0]])).toHaveLength(4);
    expect(convexHull([[0, 0], [1, 1]])).toHaveLength(2);
  });
});

describe('buildHeads', () => {
  const head = { junction: 3, x_m: 50, y_m: 60, angle_deg: 0, kind: 'vehicle' };

  it('puts a bar across the lane, before the stop line', () => {
    const heads = buildHeads([{ ...head, group: 7 }], [0, 0]);
    expect(heads.count).toBe(1);
    expect(heads.group[0]).toBe(7);
    // driving north: the bar runs from west to east, south of the line
    expect(heads.source[0]).toBeCloseTo(48.6);
    expect(heads.target[0]).toBeCloseTo(51.4);
    expect(heads.source[1]).toBeCloseTo(59.4);
    expect(heads.target[1]).toBeCloseTo(59.4);
  });

  it('shares the lane between groups, once a group', () => {
    const heads = buildHeads([{ ...head, group: 1 }, { ...head, group: 2 }, { ...head, group: 1 }, { ...head, group: -1 }], [0, 0]);
    expect([...heads.group]).toEqual([1, 2]);
    expect(heads.target[0]).toBeLessThan(heads.source[2]);
  });
});

describe('makeProjection', () => {
  // a grid turned by 1.8 degrees at 48.77 N, as Ingolstadt's is in UTM 32
  const turn = (1.8 * Math.PI) / 180;
  const north = 111319.49;
  const east = north * Math.cos((48.77 * Math.PI) / 180);
  const affine = [Math.cos(turn) / east, -Math.sin(turn) / east, 11.4, Math.sin(turn) / north, Math.cos(turn) / north, 48.77] as const;
  const projection = makeProjection({ minX: -5000, minY: -5000, maxX: 5000, maxY: 5000 }, affine);

  it('keeps lengths and turns the grid', () => {
    const [a, b, , , c, d] = projection.modelMatrix;
    expect(Math.hypot(a, b)).toBeCloseTo(1, 4);
    expect(Math.hypot(c, d)).toBeCloseTo(1, 4);
    expect(Math.atan2(b, a)).toBeCloseTo(turn, 4);
  });

  it('goes there and back', () => {
    const [lon, lat] = projection.toLonLat(1234, -987);
    const [x, y] = projection.toMetres(lon, lat);
    expect(x).toBeCloseTo(1234, 4);
    expect(y).toBeCloseTo(-987, 4);
  });

  it('refuses an affine that cannot be undone', () => {
    expect(() => makeProjection({ minX: 0, minY: 0, maxX: 1, maxY: 1 }, [0, 0, 0, 0, 0, 0])).toThrow();
  });
});
