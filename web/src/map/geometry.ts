/** The city's geometry as typed arrays, ready for the graphics card. Metres from the city's centre. */

import type { CityGeometry } from '../api/types';

/** RoadUse bits of the platform. */
export const USE = { motor: 1, bus: 2, tram: 4, bicycle: 8, pedestrian: 16 } as const;

export type LaneKind = 'road' | 'bus' | 'tram' | 'bicycle' | 'pedestrian';

export interface Paths {
  count: number;
  /** x, y, one after the other. */
  positions: Float32Array;
  /** count + 1 starts, in points. */
  starts: Uint32Array;
  widths: Float32Array;
  kinds: LaneKind[];
}

export interface Polygons {
  count: number;
  positions: Float32Array;
  starts: Uint32Array;
}

export interface Heads {
  count: number;
  /** City-wide signal group of each head. */
  group: Uint32Array;
  junction: Uint32Array;
  /** x, y of both ends of the bar across the lane. */
  source: Float32Array;
  target: Float32Array;
}

/** Widest use wins: a street lane that buses may use too is a street lane. */
export function laneKind(use: number): LaneKind {
  if (use & USE.motor) return 'road';
  if (use & USE.bus) return 'bus';
  if (use & USE.tram) return 'tram';
  if (use & USE.bicycle) return 'bicycle';
  if (use & USE.pedestrian) return 'pedestrian';
  return 'road';
}

export function buildPaths(lanes: CityGeometry['lanes'], origin: readonly [number, number]): Paths {
  const usable: number[] = [];
  let points = 0;
  lanes.points.forEach((line, row) => {
    if (line.length >= 4) {
      usable.push(row);
      points += line.length >> 1;
    }
  });
  const positions = new Float32Array(points * 2);
  const starts = new Uint32Array(usable.length + 1);
  const widths = new Float32Array(usable.length);
  const kinds: LaneKind[] = [];
  let at = 0;
  usable.forEach((row, k) => {
    starts[k] = at >> 1;
    const line = lanes.points[row];
    for (let i = 0; i + 1 < line.length; i += 2) {
      positions[at++] = line[i] - origin[0];
      positions[at++] = line[i + 1] - origin[1];
    }
    widths[k] = lanes.width_m[row] || 3.2;
    kinds.push(laneKind(lanes.use[row]));
  });
  starts[usable.length] = at >> 1;
  return { count: usable.length, positions, starts, widths, kinds };
}

/** Convex hull, counter-clockwise (Andrew's monotone chain). */
export function convexHull(points: [number, number][]): [number, number][] {
  const sorted = [...points].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  if (sorted.length < 3) return sorted;
  const cross = (o: [number, number], a: [number, number], b: [number, number]): number =>
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list: [number, number][]): [number, number][] => {
    const chain: [number, number][] = [];
    for (const p of list) {
      while (chain.length >= 2 && cross(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      chain.push(p);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

/** A node wider than this is not one junction's surface but a loose grouping; it is left open. */
const MAX_AREA_SPAN_M = 140;

/**
 * Junction surfaces are not in the geometry; they are implied by the lane ends that meet in a node: the
 * convex hull of those ends' two corners. Only lanes for wheels count, so that pavements do not widen it.
 */
export function buildAreas(geometry: CityGeometry, origin: readonly [number, number]): Polygons {
  const corners = new Map<number, [number, number][]>();
  const { lanes, edges } = geometry;
  if (edges) {
    const add = (node: number, x: number, y: number, dx: number, dy: number, width: number): void => {
      const length = Math.hypot(dx, dy) || 1;
      const nx = (-dy / length) * (width / 2);
      const ny = (dx / length) * (width / 2);
      let list = corners.get(node);
      if (!list) corners.set(node, (list = []));
      list.push([x + nx - origin[0], y + ny - origin[1]], [x - nx - origin[0], y - ny - origin[1]]);
    };
    lanes.points.forEach((line, row) => {
      if (line.length < 4 || laneKind(lanes.use[row]) === 'pedestrian') return;
      const edge = lanes.edge[row];
      const width = lanes.width_m[row] || 3.2;
      const n = line.length;
      add(edges.from_node[edge], line[0], line[1], line[2] - line[0], line[3] - line[1], width);
      add(edges.to_node[edge], line[n - 2], line[n - 1], line[n - 2] - line[n - 4], line[n - 1] - line[n - 3], width);
    });
  }
  const hulls: [number, number][][] = [];
  let points = 0;
  for (const list of corners.values()) {
    const hull = convexHull(list);
    if (hull.length < 3) continue;
    const xs = hull.map((p) => p[0]);
    const ys = hull.map((p) => p[1]);
    const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
    if (span > MAX_AREA_SPAN_M) continue;
    hulls.push(hull);
    points += hull.length;
  }
  const positions = new Float32Array(points * 2);
  const starts = new Uint32Array(hulls.length + 1);
  let at = 0;
  hulls.forEach((hull, k) => {
    starts[k] = at >> 1;
    for (const [x, y] of hull) {
      positions[at++] = x;
      positions[at++] = y;
    }
  });
  starts[hulls.length] = at >> 1;
  return { count: hulls.length, positions, starts };
}

/** Clear lane width a bar of heads covers, and how far before the lane's end it stands. */
const BAR_WIDTH_M = 2.8;
const BAR_SETBACK_M = 0.6;
const BAR_GAP_M = 0.25;

/**
 * Heads become bars across their lane at the stop line. Several groups at one lane end (a left arrow
 * beside a straight one) share its width, once a group.
 */
export function buildHeads(heads: CityGeometry['heads'], origin: readonly [number, number]): Heads {
  const places = new Map<string, { x: number; y: number; angle: number; junction: number; groups: number[] }>();
  for (const head of heads) {
    if (head.group < 0) continue;
    const key = `${head.x_m.toFixed(1)} ${head.y_m.toFixed(1)} ${Math.round(head.angle_deg)}`;
    const place = places.get(key);
    if (!place) {
      places.set(key, { x: head.x_m, y: head.y_m, angle: head.angle_deg, junction: head.junction, groups: [head.group] });
    } else if (!place.groups.includes(head.group)) {
      place.groups.push(head.group);
    }
  }
  let count = 0;
  for (const place of places.values()) count += place.groups.length;
  const result: Heads = {
    count,
    group: new Uint32Array(count),
    junction: new Uint32Array(count),
    source: new Float32Array(count * 2),
    target: new Float32Array(count * 2),
  };
  let row = 0;
  for (const place of places.values()) {
    const angle = (place.angle * Math.PI) / 180; // clockwise from north
    const [fx, fy] = [Math.sin(angle), Math.cos(angle)];
    const [rx, ry] = [fy, -fx]; // to the right of the direction of travel
    const share = BAR_WIDTH_M / place.groups.length;
    place.groups.forEach((group, k) => {
      const left = -BAR_WIDTH_M / 2 + k * share + (k > 0 ? BAR_GAP_M / 2 : 0);
      const right = -BAR_WIDTH_M / 2 + (k + 1) * share - (k < place.groups.length - 1 ? BAR_GAP_M / 2 : 0);
      const x = place.x - origin[0] - fx * BAR_SETBACK_M;
      const y = place.y - origin[1] - fy * BAR_SETBACK_M;
      result.group[row] = group;
      result.junction[row] = place.junction;
      result.source.set([x + rx * left, y + ry * left], row * 2);
      result.target.set([x + rx * right, y + ry * right], row * 2);
      row++;
    });
  }
  return result;
}
