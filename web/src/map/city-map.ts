/**
 * The live map, in three canvases over one another: MapLibre's (ground, optional tiles, the camera), one
 * for streets that is drawn again only when the camera moves, and one for what moves (vehicles, junctions,
 * heads). So a picture with 10,000 vehicles costs one pass over 10,000 vehicles, not one over all streets.
 */

import type { MapboxOverlay } from '@deck.gl/mapbox';
import * as maplibregl from 'maplibre-gl';
import type { CityGeometry, CityInfo } from '../api/types';
import type { Frame } from '../live/frame';
import { Picture } from '../live/picture';
import type { Bounds } from '../live/segment';
import { DrawingMeter, type MapStatistics } from './drawing-meter';
import { buildAreas, buildHeads, buildPaths, type Heads, type Paths, type Polygons } from './geometry';
import { JunctionMarks } from './junction-marks';
import { subscribeLayers } from './layers';
import { deckOf, hush, middleOf, newMap, newOverlays, roomOn, type LonLatBounds } from './map-canvas';
import { PALETTES, type Palette, type Theme } from './palette';
import { makeProjection, type CityProjection } from './projection';
import { streetLayers } from './street-layers';
import { HEADS_FULL, trafficLayers } from './traffic-layers';
import { LookBack } from './look-back';

/** Who wants less motion sees vehicles step ten times a second. */
const CALM_MS = 95;

export interface CityMapEvents {
  select(row: number | null): void;
  hover(row: number | null, x: number, y: number): void;
  zoom(zoom: number): void;
}

interface Framed {
  bounds: LonLatBounds;
  maxZoom?: number;
}

interface Camera {
  center: maplibregl.LngLatLike;
  zoom: number;
}

export class CityMap {
  readonly map: maplibregl.Map;
  readonly picture: Picture;
  /** Newest delay and queue of each junction, in tenths; UNKNOWN_U16 where nobody was served lately. */
  frame: Frame | null = null;
  private newestS = Number.NaN;

  private readonly meter = new DrawingMeter();
  private readonly projection: CityProjection;
  private readonly streets: MapboxOverlay;
  private readonly traffic: MapboxOverlay;
  private readonly paths: Paths;
  private readonly areas: Polygons;
  private readonly heads: Heads;
  private readonly marks: JunctionMarks;
  private palette: Palette;
  private selected: number | null = null;
  private hovered: number | null = null;
  /** What has to stay in view as the page around the map changes, until the map is moved otherwise. */
  private framed: Framed | null = null;
  private readonly lookBack = new LookBack<Camera>();
  private dirty = true;
  private readonly forgetLayers: () => void;
  private picked: ((x: number, y: number) => void) | null = null;
  private stopped = false;
  private resting = false;
  /** The newest frame that came while nobody could see the map. */
  private missed: Frame | null = null;
  private lastMs = 0;
  private nextTick = 0;

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
    const { origin } = this.projection;
    this.picture = new Picture(bounds, origin);
    this.paths = buildPaths(geometry.lanes, origin);
    this.areas = buildAreas(geometry, origin);
    this.heads = buildHeads(geometry.heads, origin);
    this.marks = new JunctionMarks(geometry.junctions, this.heads, origin);
    this.palette = PALETTES[theme];
    this.map = newMap(container, this.palette, city.tile_url, this.lonLatBounds());
    [this.streets, this.traffic] = newOverlays(this.map);
    this.map.on('zoom', () => {
      this.drawTraffic(); // with the camera, not a picture later
      this.events.zoom(this.map.getZoom());
    });
    this.map.on('click', (event) => {
      const { picked } = this;
      if (!picked) return this.events.select(this.find(event.point.x, event.point.y));
      return picked(...this.projection.toMetres(event.lngLat.lng, event.lngLat.lat));
    });
    this.framed = { bounds: this.lonLatBounds() };
    this.map.on('movestart', (event) => {
      if (event.originalEvent) this.framed = null; // by hand
    });
    this.map.on('resize', () => requestAnimationFrame(() => this.framed && !this.stopped && this.keep(this.framed, 0)));
    this.map.on('moveend', () => this.lookBack.stands());
    this.map.on('mousemove', (event) => this.hoverAt(event.point.x, event.point.y));
    this.map.on('mouseout', () => this.hoverAt(-1e6, -1e6));
    this.map.once('load', () => this.drawStreets());
    this.forgetLayers = subscribeLayers(() => (this.dirty = true));
    this.tick = this.tick.bind(this);
    this.nextTick = requestAnimationFrame(this.tick);
  }

  get statistics(): MapStatistics {
    return this.meter.statistics;
  }

  /** One frame from the socket. While the past is shown, or nothing, it only tells what time it is. */
  take(frame: Frame): void {
    const start = performance.now();
    this.newestS = frame.timeS;
    if (this.resting) this.missed = frame;
    if (this.resting || this.picture.isPast) return;
    this.picture.push(frame, start);
    this.frame = frame;
    this.statistics.framesReceived++;
    this.colour(frame);
    this.statistics.intakeMs = performance.now() - start;
  }

  /** A page stands where the map is: neither draw nor take in frames. Back again: the newest one at once. */
  rest(resting: boolean): void {
    if (resting === this.resting) return;
    this.resting = resting;
    cancelAnimationFrame(this.nextTick);
    if (resting) return;
    const { missed } = this;
    this.missed = null;
    if (missed && !this.picture.isPast) {
      this.picture.reset(); // what stood there is long past
      this.take(missed);
    }
    this.dirty = true;
    this.nextTick = requestAnimationFrame(this.tick);
  }

  /** Second of the city now, whatever is shown. */
  get presentS(): number {
    return this.resting || this.picture.isPast ? this.newestS : this.picture.timeS;
  }

  /** Show a moment of the past, between two frames, until `leavePast`. */
  takePast(older: Frame | null, newer: Frame, timeS: number): void {
    const stands = older ?? newer;
    this.picture.showPast(older, newer, timeS);
    if (this.frame === stands) return;
    this.frame = stands;
    this.colour(stands);
  }

  /** Nothing is known of the moment: the streets alone, until `takePast` or `leavePast`. */
  showNothing(): void {
    this.picture.showNothing();
    if (this.frame) this.colour(null);
    this.frame = null;
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
    this.colour(this.frame, true);
    this.drawStreets();
    this.dirty = true;
  }

  private colour(frame: Frame | null, again = false): void {
    this.marks.colour(frame, this.palette, again);
    this.dirty = true;
  }

  /** Fly to a junction that was chosen elsewhere than on the map; and back to where the map was, when junctions are
   * left again. */
  select(row: number | null, fly: boolean): void {
    this.selected = row;
    this.dirty = true;
    if (row === null) {
      const back = this.lookBack.left();
      if (back) this.flyTo(back);
      return;
    }
    this.lookBack.chosen({ center: this.map.getCenter(), zoom: this.map.getZoom() });
    if (fly) {
      const junction = this.geometry.junctions[row];
      const center = this.projection.toLonLat(junction.x_m, junction.y_m);
      this.flyTo({ center, zoom: Math.max(this.map.getZoom(), 17.2) });
    }
  }

  private flyTo(camera: Camera): void {
    this.lookBack.flies(camera);
    this.framed = null;
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

  /** Move the middle of what is not covered there, in step with a rhythm of one second. */
  centre(x: number, y: number): void {
    const center = this.projection.toLonLat(x, y);
    this.framed = null;
    const offset = middleOf(roomOn(this.map.getContainer()));
    this.map.easeTo({ center, offset, duration: this.reducedMotion ? 0 : 950, easing: (t) => t, essential: true });
  }

  /** Show all of these points (x, y, x, y, … in city metres). */
  show(points: readonly number[]): void {
    const bounds = new maplibregl.LngLatBounds();
    for (let k = 0; k + 1 < points.length; k += 2) bounds.extend(this.projection.toLonLat(points[k], points[k + 1]));
    if (bounds.isEmpty()) return;
    this.keep({ bounds: bounds.toArray() as LonLatBounds, maxZoom: 16.5 });
  }

  /** Middle of the view in city metres, and its zoom. */
  view(): [number, number, number] {
    const { lng, lat } = this.map.getCenter();
    return [...this.projection.toMetres(lng, lat), this.map.getZoom()] as [number, number, number];
  }

  /** Put the view there at once. */
  look(x: number, y: number, zoom: number): void {
    this.framed = null;
    this.map.jumpTo({ center: this.projection.toLonLat(x, y), zoom });
  }

  fit(): void {
    this.lookBack.forget();
    this.keep({ bounds: this.lonLatBounds() });
  }

  /** Show all of that, beside what lies on the map, now and when the page around it changes. */
  private keep(framed: Framed, durationMs = 700): void {
    this.framed = framed;
    const { bounds, ...most } = framed;
    this.map.fitBounds(bounds, { ...most, padding: roomOn(this.map.getContainer()), duration: this.reducedMotion ? 0 : durationMs });
  }

  zoomBy(step: number): void {
    this.framed = null;
    this.map.zoomTo(this.map.getZoom() + step, { duration: this.reducedMotion ? 0 : 200 });
  }

  remove(): void {
    this.stopped = true;
    this.forgetLayers();
    this.map.remove();
  }

  private lonLatBounds(): LonLatBounds {
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
    const reach = 12 * this.metresPerPixel() + (this.map.getZoom() > HEADS_FULL ? 12 : 0);
    return this.marks.find(mx - this.projection.origin[0], my - this.projection.origin[1], reach);
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

  /** What all layers share. */
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
    this.streets.setProps({ layers: streetLayers(this.common(), this.paths, this.areas, this.palette, opacity) });
  }

  private drawTraffic(): void {
    const { picture, palette, marks, heads, hovered, selected } = this;
    const zoom = this.map.getZoom();
    const scene = { common: this.common(), origin: this.projection.origin, zoom, picture, palette, marks, heads, hovered, selected };
    this.traffic.setProps({ layers: trafficLayers(scene) });
  }

  private tick(nowMs: number): void {
    if (this.stopped) return;
    this.nextTick = requestAnimationFrame(this.tick);
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
        this.meter.drawn();
      }
    }
    if (this.meter.took(performance.now() - start, nowMs)) hush(this.map.getContainer());
    this.statistics.vehiclesDrawn = this.picture.segment?.count ?? 0;
    this.statistics.timeS = this.picture.timeS;
  }
}
