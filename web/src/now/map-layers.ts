/** Queues on their lanes, what cameras see, buses, and junctions that an operator holds, over the live map.
 *
 * Each is asked for only while its layer is on and somebody looks. */

import { PathLayer, ScatterplotLayer, TextLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import { request } from '../api/client';
import type { CityGeometry } from '../api/types';
import { isOn, redrawLayers, registerLayer, type Drawing, type LegendKey } from '../map/layers';
import { css, PALETTES, type Rgba } from '../map/palette';
import { getState, subscribe } from '../state/store';
import { lastMetres } from './lane-parts';
import { words } from './text';
import { pageFont } from '../map/font';

interface Queues {
  time_s: number;
  lane: number[];
  queue_veh: number[];
  silent: number[];
}

interface CameraViews {
  range_m: number;
  lane: number[];
  reach_m: number[];
  unseen: number[];
}

interface Bus {
  trip: string;
  line: string;
  x_m: number;
  y_m: number;
  late_s: number;
}

const VEHICLE_M = 7.5;
const FULL_SHARE = 0.9;
const LATE_S = 60;
const MOST_BUSES = 500;

let queues: Queues | null = null;
let views: CameraViews | null = null;
let buses: Bus[] = [];

type Path = { path: [number, number][]; share: number };

/** Ask every so often while the layer is on; what fails is asked again. */
function poll(id: string, everyMs: number, ask: () => Promise<void>): { switched: (on: boolean) => void } {
  let timer = 0;
  let asking = false;
  const once = async (): Promise<void> => {
    if (asking || document.visibilityState !== 'visible' || !getState().city) return;
    asking = true;
    try {
      await ask();
      redrawLayers();
    } catch {
      // the connection's state is told at the head of the page
    }
    asking = false;
  };
  return {
    switched: (on) => {
      window.clearInterval(timer);
      timer = on ? window.setInterval(() => void (isOn(id) && once()), everyMs) : 0;
      if (on) void once();
    },
  };
}

const palette = (): (typeof PALETTES)['dark'] => PALETTES[getState().theme];
const key = (colour: Rgba, label: string, shape: LegendKey['shape']): LegendKey => ({ colour: css(colour), label, shape });
const SEEN: Record<'dark' | 'light', Rgba> = { dark: [111, 183, 238, 60], light: [31, 111, 178, 55] };
const HELD: Record<'dark' | 'light', Rgba> = { dark: [255, 207, 92, 255], light: [138, 97, 0, 255] };

function lanePaths(geometry: CityGeometry, rows: readonly number[], metres: (k: number, whole: number) => number, at: Drawing['at']): Path[] {
  return rows.flatMap((row, k) => {
    const line = geometry.lanes.points[row];
    if (!line || line.length < 4) return [];
    const { points, share } = lastMetres(line, (whole) => metres(k, whole));
    const path: [number, number][] = [];
    for (let p = 0; p + 1 < points.length; p += 2) path.push(at(points[p], points[p + 1]));
    return [{ path, share }];
  });
}

/** Worked out again only when what it is made of is another. */
function kept<T>(make: (...of: never[]) => T): (...of: readonly unknown[]) => T {
  let last: readonly unknown[] = [];
  let value: T;
  return (...of) => {
    if (of.length !== last.length || of.some((one, k) => one !== last[k])) {
      last = of;
      value = (make as (...all: readonly unknown[]) => T)(...of);
    }
    return value;
  };
}

const queuePaths = kept((geometry: CityGeometry, now: Queues, drawing: Drawing['origin']) =>
  lanePaths(geometry, now.lane, (k) => now.queue_veh[k] * VEHICLE_M, (x, y) => [x - drawing[0], y - drawing[1]]),
);
const viewPaths = kept((geometry: CityGeometry, now: CameraViews, origin: Drawing['origin']) =>
  lanePaths(geometry, now.lane, (k) => now.reach_m[k], (x, y) => [x - origin[0], y - origin[1]]),
);
const blindPaths = kept((geometry: CityGeometry, rows: number[], reach: number, origin: Drawing['origin']) =>
  lanePaths(geometry, rows, () => reach, (x, y) => [x - origin[0], y - origin[1]]),
);

function pathLayer(id: string, common: object, data: Path[], colour: Rgba | ((one: Path) => Rgba), widthM: number, leastPx: number): Layer {
  return new PathLayer<Path>({
    ...common,
    id,
    data,
    getPath: (one: Path) => one.path,
    getColor: colour,
    getWidth: widthM,
    widthUnits: 'meters',
    widthMinPixels: leastPx,
    capRounded: false,
    jointRounded: true,
  } as never);
}

function drawQueues({ common, origin }: Drawing): Layer[] {
  const { geometry } = getState();
  if (!geometry || !queues) return [];
  const [short, full] = [palette().standing, palette().queueFull];
  return [pathLayer('queues', common, queuePaths(geometry, queues, origin), (one) => (one.share >= FULL_SHARE ? full : short), 2.2, 2.5)];
}

function drawCameras({ common, origin }: Drawing): Layer[] {
  const { geometry, theme } = getState();
  if (!geometry || !views) return [];
  const silent = queues?.silent ?? NONE;
  return [
    pathLayer('camera-views', common, viewPaths(geometry, views, origin), SEEN[theme], 3.2, 3),
    pathLayer('cameras-silent', common, blindPaths(geometry, silent, views.range_m, origin), palette().queueFull, 1.2, 2),
    pathLayer('cameras-unseen', common, blindPaths(geometry, views.unseen, 30, origin), palette().unknown, 1.2, 2),
  ];
}

const NONE: number[] = [];

function drawBuses({ common, at }: Drawing): Layer[] {
  const ink = palette().mission.ground;
  const position = (bus: Bus): [number, number] => at(bus.x_m, bus.y_m);
  const colour = (bus: Bus): Rgba => (bus.late_s > LATE_S ? palette().standing : palette().transit);
  return [
    new ScatterplotLayer<Bus>({
      ...common, id: 'buses', data: buses, getPosition: position, radiusUnits: 'pixels', getRadius: 10, getFillColor: colour,
      stroked: true, getLineColor: ink, lineWidthUnits: 'pixels', getLineWidth: 2,
    } as never),
    new TextLayer<Bus>({
      ...common, id: 'bus-lines', data: buses, getPosition: position, getText: (bus: Bus) => bus.line.slice(0, 4), getSize: 11, getColor: ink,
      fontFamily: pageFont(), fontWeight: 700,
    } as never),
  ];
}

function drawOverrides({ common, at }: Drawing): Layer[] {
  const { geometry, snapshot, pastOverrides, theme } = getState();
  const held = (pastOverrides ?? snapshot?.overrides ?? []).flatMap(({ junction }) => geometry?.junctions.find((one) => one.id === junction) ?? []);
  return [
    new ScatterplotLayer({
      ...common, id: 'overrides', data: held, getPosition: (one: { x_m: number; y_m: number }) => at(one.x_m, one.y_m), radiusUnits: 'pixels',
      getRadius: 17, filled: false, stroked: true, lineWidthUnits: 'pixels', getLineWidth: 3.5, getLineColor: HELD[theme],
    } as never),
  ];
}

export function registerNowLayers(): void {
  const askQueues = async (): Promise<void> => void (queues = await request<Queues>('GET', '/v1/queues'));
  registerLayer({
    id: 'cameras',
    label: words.layers.cameras,
    order: 20,
    on: false,
    draw: drawCameras,
    keys: () => [
      key(palette().moving, words.layers.seen, 'area'),
      key(palette().queueFull, words.layers.silent, 'line'),
      key(palette().unknown, words.layers.unseen, 'line'),
    ],
    ...poll('cameras', 3000, async () => {
      views ??= await request<CameraViews>('GET', '/v1/camera-views');
      await askQueues();
    }),
  });
  registerLayer({
    id: 'queues',
    label: words.layers.queues,
    order: 30,
    on: false,
    draw: drawQueues,
    keys: () => [key(palette().standing, words.layers.queueShort, 'line'), key(palette().queueFull, words.layers.queueFull, 'line')],
    ...poll('queues', 2000, askQueues),
  });
  registerLayer({
    id: 'buses',
    label: words.layers.buses,
    order: 60,
    on: false,
    draw: drawBuses,
    keys: () => [key(palette().transit, words.layers.busOnTime, 'round'), key(palette().standing, words.layers.busLate, 'round')],
    ...poll('buses', 2000, async () => {
      buses = (await request<{ buses: Bus[] }>('GET', `/v1/transit/buses?limit=${MOST_BUSES}`)).buses;
    }),
  });
  registerLayer({
    id: 'overrides',
    label: words.layers.overrides,
    order: 75,
    on: true,
    draw: drawOverrides,
    past: true, // the replay says which were held then
    keys: () => [key(HELD[getState().theme], words.layers.overridden, 'ring')],
  });
  let seen: unknown = null;
  subscribe(() => {
    const { pastOverrides, snapshot } = getState();
    const now = pastOverrides ?? snapshot?.overrides;
    if (now === seen || (now?.length === 0 && (seen as unknown[] | null)?.length === 0)) return;
    seen = now;
    redrawLayers();
  });
}
