/** The canvases: MapLibre's map under deck.gl's two overlays, and what their browser can do. */

import { MapboxOverlay } from '@deck.gl/mapbox';
import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { getUnits } from '../units';
import type { Palette } from './palette';

/** Room for the strip and the scale when the whole city is shown. */
const PADDING = { top: 132, bottom: 36, left: 28, right: 60 };
type Padding = typeof PADDING;

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Of what lies on the map as much is left for the map at least, in both directions. */
const LEAST_SHARE = 0.4;

/** Room for what lies on the map: the legend on the left while it is open, the player or the wall's caption below. */
export function paddingBeside(map: Box, legend: Box | null, player: Box | null): Padding {
  const [width, height] = [map.right - map.left, map.bottom - map.top];
  const tall = legend !== null && legend.bottom - legend.top > height * 0.2;
  const left = Math.max(PADDING.left, tall ? legend.right - map.left + 12 : 0);
  const bottom = Math.max(PADDING.bottom, player ? map.bottom - player.top + 12 : 0);
  return {
    ...PADDING,
    left: width - left - PADDING.right < width * LEAST_SHARE ? PADDING.left : left,
    bottom: height - bottom - PADDING.top < height * LEAST_SHARE ? PADDING.bottom : bottom,
  };
}

/** The same of the page as it is. */
export function roomOn(container: HTMLElement): Padding {
  const box = (where: string): DOMRect | null => document.querySelector(where)?.getBoundingClientRect() ?? null;
  return paddingBeside(container.getBoundingClientRect(), box('.legend'), box('.then-bar') ?? box('.wall-caption'));
}

/** Pixels from the middle of the map to the middle of what is free of it. */
export const middleOf = ({ left, right, top, bottom }: Padding): [number, number] => [(left - right) / 2, (top - bottom) / 2];

export type LonLatBounds = [[number, number], [number, number]];

/** A map that is moved but neither turned nor tilted. */
export function newMap(container: HTMLElement, palette: Palette, tileUrl: string, bounds: LonLatBounds): maplibregl.Map {
  maplibregl.setWorkerUrl(workerUrl);
  const map = new maplibregl.Map({
    container,
    style: style(palette, tileUrl),
    bounds,
    fitBoundsOptions: { padding: roomOn(container) },
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
  if (!tileUrl) map.getCanvas().style.opacity = '0';
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibregl.ScaleControl({ unit: getUnits().distance === 'ft' ? 'imperial' : 'metric', maxWidth: 110 }), 'bottom-left');
  return map;
}

/** [streets, traffic], on the map. The shapes that move smooth their own edges; where there is no graphics card,
 * streets do without, too: multisampling there takes seconds at the start. */
export function newOverlays(map: maplibregl.Map): [MapboxOverlay, MapboxOverlay] {
  const overlay = (antialias: boolean): MapboxOverlay =>
    new MapboxOverlay({ interleaved: false, layers: [], deviceProps: { type: 'webgl', webgl: { antialias } } } as never);
  const made: [MapboxOverlay, MapboxOverlay] = [overlay(!inSoftware(map.getCanvas())), overlay(false)];
  made.forEach((one) => map.addControl(one));
  return made;
}

/** The overlay draws when deck.gl's own state changes; between, only the share of time moves, and we ask. */
export function deckOf(overlay: MapboxOverlay): { isInitialized: boolean; redraw(reason: string): void } | undefined {
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
export function hush(container: HTMLElement): void {
  for (const canvas of container.querySelectorAll<HTMLCanvasElement>('canvas[tabindex="0"]:not(.maplibregl-canvas)')) {
    canvas.tabIndex = -1;
    canvas.setAttribute('aria-hidden', 'true');
  }
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
