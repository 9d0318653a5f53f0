/**
 * The live map, in three canvases over one another: MapLibre's (ground, optional tiles, the camera), one
 * for streets that is drawn again only when the camera moves, and one for what moves (vehicles, junctions,
 * heads). So a picture with 10,000 vehicles costs one pass over 10,000 vehicles, not one over all streets.
 */

import { MapboxOverlay } from '@deck.gl/mapbox';
import { LineLayer, PathLayer, ScatterplotLayer, SolidPolygonLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { CityGeometry, CityInfo } from '../api/types';
import type { Frame } from '../live/frame';
import { UNKNOWN_U16 } from '../live/frame';
import { Picture } from '../live/picture';
import type { Bounds } from '../live/segment';
import { buildAreas, buildHeads, buildPaths, type Heads, type LaneKind, type Paths, type Polygons } from './geometry';
import { drawLayers, isOn, subscribeLayers, type Drawing } from './layers';
import { lampColour, PALETTES, writeDelayColour, type Palette, type Rgba, type Theme } from './palette';
import { makeProjection, type CityProjection } from './projection';
import { getUnits } from '../units';
import { VehicleLayer } from './vehicle-layer';

/** Zooms between which circles give way to heads, and dots to shapes. */
const HEADS_FROM = 15.6;
const HEADS_FULL = 16.6;
const SHAPES_FROM = 15.2;
const SHAPES_FULL = 17;
/** Room for the strip and the scale when the whole city is shown. */
const PADDING = { top: 132, bottom: 36, left: 28, right: 60 };
/** Who wants less motion sees vehicles step ten times a second. */
const CALM_MS = 95;

const share = (value: number, from: number, to: number): number => Math.min(1, Math.max(0, (value - from) / (to - from)));

export interface MapStatistics {
  framesReceived: number;
  vehiclesDrawn: number;
  /** Pictures drawn since the start. */
  pictures: number;
  /** Drawn pictures in the last second. */
  fps: number;
  /** Milliseconds of main thread an animation frame took: mean and worst of the last second. */
  frameMs: number;
  frameMsWorst: number;
  /** Milliseconds to take in one frame from the socket. */
  intakeMs: number;
  /** Platform second that is drawn. */
  timeS: number;
}

export interface CityMapEvents {
  select(row: number | null): void;
  hover(row: number | null, x: number, y: number): void;
  zoom(zoom: number): void;
}

export class CityMap {
  readonly map: maplibregl.Map;
  readonly picture: Picture;
  readonly statistics: MapStatistics = {
    framesReceived: 0,
    vehiclesDrawn: 0,
    pictures: 0,
    fps: 0,
    frameMs: 0,
    frameMsWorst: 0,
    intakeMs: 0,
    timeS: 0,
  };
  /** Newest delay and queue of each junction, in tenths; UNKNOWN_U16 where nobody was served lately. */
  frame: Frame | null = null;
  private newestS = Number.NaN;

  private readonly projection: CityProjection;
  private readonly streets: MapboxOverlay;
  private readonly traffic: MapboxOverlay;
  private readonly paths: Paths;
  private readonly areas: Polygons;
  private readonly heads: Heads;
  private readonly positions: Float32Array;
  private readonly radius: Float32Array;
  private junctionColours: Uint8Array;
  private headColours: Uint8Array;
  private palette: Palette;
  private selected: number | null = null;
  private hovered: number | null = null;
  private dirty = true;
  private readonly forgetLayers: () => void;
  private picked: ((x: number, y: number) => void) | null = null;
  private stopped = false;
  private lastMs = 0;
  private lastLamp: Uint8Array | null = null;
  private readonly meter = { since: 0, frames: 0, sumMs: 0, worstMs: 0 };

  constructor(
    container: HTMLElement,
    private readonly city: CityInfo,
    private readonly geometry: CityGeometry,
    theme: Theme,
    private readonly events: CityMapEvents,
    private readonly reducedMotion: boolean,
  ) {
    const [minX, minY, maxX, maxY] = geometry.bounds_m;
    const bounds: Bounds = { minX, minY, maxX, maxY };
    this.projection = makeProjection(bounds, city.lonlat_affine);
    this.picture = new Picture(bounds, this.projection.origin);
    this.paths = buildPaths(geometry.lanes, this.projection.origin);
    this.areas = buildAreas(geometry, this.projection.origin);
    this.heads = buildHeads(geometry.heads, this.projection.origin);
    this.palette = PALETTES[theme];
    const count = geometry.junctions.length;
    this.positions = new Float32Array(count * 2);
    geometry.junctions.forEach((j, row) => {
      this.positions[2 * row] = j.x_m - this.projection.origin[0];
      this.positions[2 * row + 1] = j.y_m - this.projection.origin[1];
    });
    this.radius = new Float32Array(count).fill(1);
    this.junctionColours = new Uint8Array(count * 4);
    this.headColours = new Uint8Array(this.heads.count * 4);

    maplibregl.setWorkerUrl(workerUrl);
    this.map = new maplibregl.Map({
      container,
      style: style(this.palette, city.tile_url),
      bounds: this.lonLatBounds(),
      fitBoundsOptions: { padding: PADDING },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxPitch: 0,
      minZoom: 7,
      maxZoom: 21,
      fadeDuration: 0,
    });
    // without tiles the ground is the page's own colour: one full-size canvas less to put together
    if (!city.tile_url) this.map.getCanvas().style.opacity = '0';
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new maplibregl.ScaleControl({ unit: getUnits().distance === 'ft' ? 'imperial' : 'metric', maxWidth: 110 }), 'bottom-left');
    // the shapes that move smooth their own edges; where there is no graphics card, streets do without, too:
    // multisampling there takes seconds at the start
    const overlay = (antialias: boolean): MapboxOverlay =>
      new MapboxOverlay({ interleaved: false, layers: [], deviceProps: { type: 'webgl', webgl: { antialias } } } as never);
    this.streets = overlay(!inSoftware(this.map.getCanvas()));
    this.traffic = overlay(false);
    this.map.addControl(this.streets);
    this.map.addControl(this.traffic);
    this.map.on('zoom', () => {
      this.drawTraffic(); // with the camera, not a picture later
      this.events.zoom(this.map.getZoom());
    });
    this.map.on('click', (event) => {
      const { picked } = this;
      if (!picked) return this.events.select(this.find(event.point.x, event.point.y));
      return picked(...this.projection.toMetres(event.lngLat.lng, event.lngLat.lat));
    });
    this.map.on('mousemove', (event) => this.hoverAt(event.point.x, event.point.y));
    this.map.on('mouseout', () => this.hoverAt(-1e6, -1e6));
    this.map.once('load', () => this.drawStreets());
    this.forgetLayers = subscribeLayers(() => (this.dirty = true));
    this.tick = this.tick.bind(this);
    requestAnimationFrame(this.tick);
  }

  /** One frame from the socket. While the past is shown it only tells what time it is. */
  take(frame: Frame): void {
    const start = performance.now();
    this.newestS = frame.timeS;
    if (this.picture.isPast) return;
    this.picture.push(frame, start);
    this.frame = frame;
    this.statistics.framesReceived++;
    this.colourJunctions(frame);
    this.colourHeads(frame);
    this.statistics.intakeMs = performance.now() - start;
  }

  /** Second of the city now, whatever is shown. */
  get presentS(): number {
    return this.picture.isPast ? this.newestS : this.picture.timeS;
  }

  /** Show a moment of the past, between two frames, until `leavePast`. */
  takePast(older: Frame | null, newer: Frame, timeS: number): void {
    const stands = older ?? newer;
    this.picture.showPast(older, newer, timeS);
    if (this.frame === stands) return;
    this.frame = stands;
    this.colourJunctions(stands);
    this.colourHeads(stands);
  }

  leavePast(): void {
    this.picture.leavePast();
    this.dirty = true;
  }

  setTheme(theme: Theme): void {
    if (this.palette === PALETTES[theme]) return;
    this.palette = PALETTES[theme];
    if (this.map.isStyleLoaded()) this.paint();
    else this.map.once('load', () => this.paint());
  }

  private paint(): void {
    if (this.city.tile_url) this.map.setPaintProperty('background', 'background-color', this.palette.background);
    this.lastLamp = null;
    if (this.frame) {
      this.colourJunctions(this.frame);
      this.colourHeads(this.frame);
    }
    this.drawStreets();
    this.dirty = true;
  }

  select(row: number | null, fly: boolean): void {
    this.selected = row;
    this.dirty = true;
    if (row === null || !fly) return;
    const junction = this.geometry.junctions[row];
    const center = this.projection.toLonLat(junction.x_m, junction.y_m);
    const camera = { center, zoom: Math.max(this.map.getZoom(), 17.2) };
    if (this.reducedMotion) this.map.jumpTo(camera);
    else this.map.flyTo({ ...camera, duration: 900, essential: true });
  }

  /** Draw again with the next picture. */
  redraw(): void {
    this.dirty = true;
  }

  /** Send clicks (city metres) there instead of choosing junctions; null: as ever. */
  pickPoint(picked: ((x: number, y: number) => void) | null): void {
    this.picked = picked;
    this.map.getCanvas().style.cursor = picked ? 'crosshair' : '';
  }

  /** Move the middle of the view there, in step with a rhythm of one second. */
  centre(x: number, y: number): void {
    const center = this.projection.toLonLat(x, y);
    if (this.reducedMotion) this.map.jumpTo({ center });
    else this.map.easeTo({ center, duration: 950, easing: (t) => t, essential: true });
  }

  /** Show all of these points (x, y, x, y, … in city metres). */
  show(points: readonly number[]): void {
    const bounds = new maplibregl.LngLatBounds();
    for (let k = 0; k + 1 < points.length; k += 2) bounds.extend(this.projection.toLonLat(points[k], points[k + 1]));
    if (bounds.isEmpty()) return;
    this.map.fitBounds(bounds, { padding: PADDING, maxZoom: 16.5, duration: this.reducedMotion ? 0 : 700 });
  }

  /** Middle of the view in city metres, and its zoom. */
  view(): [number, number, number] {
    const { lng, lat } = this.map.getCenter();
    return [...this.projection.toMetres(lng, lat), this.map.getZoom()] as [number, number, number];
  }

  /** Put the view there at once. */
  look(x: number, y: number, zoom: number): void {
    this.map.jumpTo({ center: this.projection.toLonLat(x, y), zoom });
  }

  fit(): void {
    this.map.fitBounds(this.lonLatBounds(), { padding: PADDING, duration: this.reducedMotion ? 0 : 700 });
  }

  zoomBy(step: number): void {
    this.map.zoomTo(this.map.getZoom() + step, { duration: this.reducedMotion ? 0 : 200 });
  }

  remove(): void {
    this.stopped = true;
    this.forgetLayers();
    this.map.remove();
  }

  private lonLatBounds(): [[number, number], [number, number]] {
    const [minX, minY, maxX, maxY] = this.geometry.bounds_m;
    const corners = [
      this.projection.toLonLat(minX, minY),
      this.projection.toLonLat(maxX, minY),
      this.projection.toLonLat(minX, maxY),
      this.projection.toLonLat(maxX, maxY),
    ];
    const lons = corners.map((corner) => corner[0]);
    const lats = corners.map((corner) => corner[1]);
    return [
      [Math.min(...lons), Math.min(...lats)],
      [Math.max(...lons), Math.max(...lats)],
    ];
  }

  /** Row of the junction under a point of the canvas, or null. */
  private find(x: number, y: number): number | null {
    const { lng, lat } = this.map.unproject([x, y]);
    const [mx, my] = this.projection.toMetres(lng, lat);
    const px = mx - this.projection.origin[0];
    const py = my - this.projection.origin[1];
    const reach = 12 * this.metresPerPixel() + (this.map.getZoom() > HEADS_FULL ? 12 : 0);
    let best = -1;
    let bestSquare = reach * reach;
    for (let row = 0; row < this.positions.length / 2; row++) {
      const dx = this.positions[2 * row] - px;
      const dy = this.positions[2 * row + 1] - py;
      const square = dx * dx + dy * dy;
      if (square < bestSquare) {
        best = row;
        bestSquare = square;
      }
    }
    return best < 0 ? null : best;
  }

  /** Where a point (city metres) stands on the canvas, in pixels. */
  screenOf(x: number, y: number): { x: number; y: number } {
    return this.map.project(this.projection.toLonLat(x, y));
  }

  /** City metres that one pixel of the canvas covers now. */
  metresPerPixel(): number {
    const latitude = (this.map.getCenter().lat * Math.PI) / 180;
    return (40075016.7 * Math.cos(latitude)) / (512 * 2 ** this.map.getZoom());
  }

  private hoverAt(x: number, y: number): void {
    const row = x < -1e5 ? null : this.find(x, y);
    if (row !== this.hovered) {
      this.hovered = row;
      this.dirty = true;
      this.map.getCanvas().style.cursor = this.picked ? 'crosshair' : row === null ? '' : 'pointer';
    }
    this.events.hover(row, x, y);
  }

  private colourJunctions(frame: Frame): void {
    const count = this.geometry.junctions.length;
    const colours = new Uint8Array(count * 4);
    for (let row = 0; row < count; row++) {
      const tenths = row < frame.delay.length ? frame.delay[row] : UNKNOWN_U16;
      if (tenths === UNKNOWN_U16) {
        colours.set(this.palette.unknown, 4 * row);
        this.radius[row] = 0.7;
      } else {
        writeDelayColour(this.palette, tenths / 10, colours, 4 * row);
        this.radius[row] = 0.8 + 0.6 * Math.min(1, tenths / 1200);
      }
    }
    this.junctionColours = colours;
    this.dirty = true;
  }

  private colourHeads(frame: Frame): void {
    if (this.lastLamp && same(this.lastLamp, frame.lamp)) return;
    this.lastLamp = frame.lamp;
    const colours = new Uint8Array(this.heads.count * 4);
    for (let row = 0; row < this.heads.count; row++) {
      const group = this.heads.group[row];
      colours.set(lampColour(this.palette, group < frame.lamp.length ? frame.lamp[group] : 0), 4 * row);
    }
    this.headColours = colours;
    this.dirty = true;
  }

  private common(): object {
    return {
      coordinateSystem: 'meter-offsets',
      coordinateOrigin: this.projection.coordinateOrigin,
      modelMatrix: this.projection.modelMatrix,
      pickable: false,
      parameters: { depthCompare: 'always', depthWriteEnabled: false },
    };
  }

  private drawStreets(): void {
    const opacity = this.city.tile_url ? 0.75 : 1;
    const colours: Record<LaneKind, Rgba> = {
      road: this.palette.road,
      bus: this.palette.bus,
      tram: this.palette.tram,
      bicycle: this.palette.bicycle,
      pedestrian: this.palette.pedestrian,
    };
    const points = this.paths.positions.length / 2;
    const vertexColours = new Uint8Array(points * 4);
    const vertexWidths = new Float32Array(points);
    for (let row = 0; row < this.paths.count; row++) {
      for (let p = this.paths.starts[row]; p < this.paths.starts[row + 1]; p++) {
        vertexColours.set(colours[this.paths.kinds[row]], 4 * p);
        vertexWidths[p] = this.paths.widths[row];
      }
    }
    const pathData = (extra: object): object => ({
      length: this.paths.count,
      startIndices: this.paths.starts,
      attributes: { getPath: { value: this.paths.positions, size: 2 }, ...extra },
    });
    const path = { ...this.common(), _pathType: 'open', widthUnits: 'meters', jointRounded: true, opacity };
    const layers: Layer[] = [
      new PathLayer({
        ...path,
        id: 'casing',
        data: pathData({ getWidth: { value: vertexWidths.map((w) => w + 0.9), size: 1 } }) as never,
        getColor: this.palette.casing,
        widthMinPixels: 1.6,
        capRounded: true,
      } as never),
      new SolidPolygonLayer({
        ...this.common(),
        id: 'areas',
        opacity,
        data: {
          length: this.areas.count,
          startIndices: this.areas.starts,
          attributes: { getPolygon: { value: this.areas.positions, size: 2 } },
        },
        _normalize: false,
        filled: true,
        extruded: false,
        getFillColor: this.palette.area,
      } as never),
      new PathLayer({
        ...path,
        id: 'lanes',
        data: pathData({
          getWidth: { value: vertexWidths.map((w) => Math.max(0.4, w - 0.22)), size: 1 },
          getColor: { value: vertexColours, size: 4, normalized: true },
        }) as never,
        widthMinPixels: 0.9,
      } as never),
    ];
    this.streets.setProps({ layers });
  }

  private drawTraffic(): void {
    const zoom = this.map.getZoom();
    const near = share(zoom, HEADS_FROM, HEADS_FULL);
    const count = this.geometry.junctions.length;
    const common = this.common();
    const circle = {
      ...common,
      radiusUnits: 'pixels',
      radiusScale: 4 + 4 * share(zoom, 11, 15),
      lineWidthUnits: 'pixels',
    };
    const mark = (id: string, row: number | null, width: number): ScatterplotLayer | null =>
      row === null
        ? null
        : new ScatterplotLayer({
            ...common,
            id,
            data: { length: 1, attributes: { getPosition: { value: this.positions.slice(2 * row, 2 * row + 2), size: 2 } } },
            radiusUnits: 'pixels',
            getRadius: 12 + 14 * near,
            filled: false,
            stroked: true,
            lineWidthUnits: 'pixels',
            getLineWidth: width,
            getLineColor: this.palette.focus,
          } as never);
    const [x0, y0] = this.projection.origin;
    const drawing: Drawing = { common, origin: this.projection.origin, at: (x, y) => [x - x0, y - y0], zoom };
    const layers: (Layer | null)[] = [
      ...drawLayers(drawing, 0, 40, this.picture.isPast),
      ...(isOn('heads') && zoom > HEADS_FROM - 0.5 ? this.headLayers(common, near) : []),
      new VehicleLayer({
        ...common,
        id: 'vehicles',
        visible: isOn('vehicles'),
        data: [],
        picture: this.picture,
        palette: this.palette,
        minPixels: 3.4 + 2.6 * share(zoom, 11, 15),
        shapeShare: share(zoom, SHAPES_FROM, SHAPES_FULL),
      } as never),
      new ScatterplotLayer({
        ...circle,
        id: 'junctions',
        visible: near < 1 && isOn('junctions'),
        opacity: 1 - near,
        data: {
          length: count,
          attributes: {
            getPosition: { value: this.positions, size: 2 },
            getFillColor: { value: this.junctionColours, size: 4, normalized: true },
            getRadius: { value: this.radius.slice(), size: 1 },
          },
        },
        stroked: true,
        getLineColor: this.palette.outline,
        getLineWidth: 1.5,
      } as never),
      ...drawLayers(drawing, 40, Infinity, this.picture.isPast),
      mark('hovered', this.hovered === this.selected ? null : this.hovered, 1.5),
      mark('selected', this.selected, 2.5),
    ];
    this.traffic.setProps({ layers: layers.filter((layer) => layer !== null) });
  }

  /** Signal heads as bars across their lanes. Made only where they soon show: they take a while to compile. */
  private headLayers(common: object, near: number): Layer[] {
    const bars = {
      length: this.heads.count,
      attributes: {
        getSourcePosition: { value: this.heads.source, size: 2 },
        getTargetPosition: { value: this.heads.target, size: 2 },
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
        getColor: this.palette.housing,
      } as never),
      new LineLayer({
        ...common,
        id: 'heads',
        visible: near > 0,
        opacity: near,
        data: {
          length: this.heads.count,
          attributes: { ...bars.attributes, getColor: { value: this.headColours, size: 4, normalized: true } },
        },
        widthUnits: 'meters',
        getWidth: 1.3,
        antialiasing: true,
        widthMinPixels: 3,
      } as never),
    ];
  }

  private tick(nowMs: number): void {
    if (this.stopped) return;
    requestAnimationFrame(this.tick);
    if (this.reducedMotion && nowMs - this.lastMs < CALM_MS) return;
    this.lastMs = nowMs;
    const start = performance.now();
    const changed = this.picture.advance(nowMs);
    if (this.dirty || changed) {
      if (this.dirty) {
        this.dirty = false;
        this.drawTraffic();
      }
      const deck = deckOf(this.traffic);
      if (deck?.isInitialized) {
        deck.redraw('moved');
        this.meter.frames++;
        this.statistics.pictures++;
      }
    }
    const ms = performance.now() - start;
    const meter = this.meter;
    meter.sumMs += ms;
    meter.worstMs = Math.max(meter.worstMs, ms);
    if (nowMs - meter.since >= 1000) {
      const seconds = (nowMs - meter.since) / 1000;
      Object.assign(this.statistics, {
        fps: meter.frames / seconds,
        frameMs: meter.frames ? meter.sumMs / meter.frames : 0,
        frameMsWorst: meter.worstMs,
      });
      hush(this.map.getContainer());
      Object.assign(meter, { since: nowMs, frames: 0, sumMs: 0, worstMs: 0 });
    }
    this.statistics.vehiclesDrawn = this.picture.segment?.count ?? 0;
    this.statistics.timeS = this.picture.timeS;
  }
}

/** The overlay draws when deck.gl's own state changes; between, only the share of time moves, and we ask. */
function deckOf(overlay: MapboxOverlay): { isInitialized: boolean; redraw(reason: string): void } | undefined {
  return (overlay as unknown as { _deck?: { isInitialized: boolean; redraw(reason: string): void } })._deck;
}

/** Whether this browser draws without a graphics card. canvas: one with a WebGL 2 context. */
function inSoftware(canvas: HTMLCanvasElement): boolean {
  const gl = canvas.getContext('webgl2');
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  const renderer: unknown = gl?.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|software|basic render/i.test(String(renderer));
}

/** What deck.gl draws on is no stop of the keyboard: the map itself is. */
function hush(container: HTMLElement): void {
  for (const canvas of container.querySelectorAll<HTMLCanvasElement>('canvas[tabindex="0"]:not(.maplibregl-canvas)')) {
    canvas.tabIndex = -1;
    canvas.setAttribute('aria-hidden', 'true');
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

function style(palette: Palette, tileUrl: string): maplibregl.StyleSpecification {
  // without tiles MapLibre draws nothing, and need not compile what it would draw with
  if (!tileUrl) return { version: 8, sources: {}, layers: [] };
  const background: maplibregl.LayerSpecification = {
    id: 'background',
    type: 'background',
    paint: { 'background-color': palette.background },
  };
  return {
    version: 8,
    sources: { tiles: { type: 'raster', tiles: [tileUrl], tileSize: 256, maxzoom: 19 } },
    layers: [background, { id: 'tiles', type: 'raster', source: 'tiles', paint: { 'raster-opacity': 0.55, 'raster-saturation': -0.8 } }],
  };
}
