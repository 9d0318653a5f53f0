/**
 * What can be seen on the map, and what of it somebody wants to see. A part of the page registers a layer once;
 * the legend then offers it, and the map draws it while it is on. The choice is kept in this browser.
 *
 *     registerLayer({ id: 'incidents', label: text.layer, order: 50, on: true, draw: ({ common, at }) => [
 *       new ScatterplotLayer({ ...common, id: 'incidents', data, getPosition: (d) => at(d.x_m, d.y_m), … }) ] });
 *     redrawLayers();  // when what it draws has changed
 */

import type { Layer } from '@deck.gl/core';
import { makeStore } from '../state/make-store';

/** What a layer is given to draw with. */
export interface Drawing {
  /** Properties that every deck.gl layer needs to lie on the city's metres. Positions count from `origin`. */
  common: object;
  origin: readonly [number, number];
  /** City metres to a position. */
  at: (xM: number, yM: number) => [number, number];
  zoom: number;
}

export interface LegendKey {
  /** A CSS colour. */
  colour: string;
  label: string;
  /** As the map draws it; numbered: a framed number. Corners: a shape of its own, in a square of −1 to 1, y downwards. */
  shape: 'round' | 'car' | 'head' | 'line' | 'ring' | 'area' | 'numbered' | readonly (readonly [number, number])[];
}

export interface MapLayer {
  id: string;
  /** In the reader's language. */
  label: string;
  /** Place in the legend and, from the bottom up, on the map. The map's own: 10 junctions, 20 cameras, 30 queues,
   * 40 signal heads, 50 vehicles, 60 buses; missions 70, incidents 80. */
  order: number;
  /** Whether it is seen where nobody has chosen. */
  on: boolean;
  /** deck.gl layers, asked for at each change of camera or `redrawLayers()`; none for what the map draws itself. */
  draw?: (drawing: Drawing) => Layer[];
  /** Drawn over the past too: what it draws belongs to the moment that is shown, or to no moment. */
  past?: boolean;
  /** What its colours and shapes mean, at this zoom; shown in the legend while the layer is on. */
  keys?: (zoom: number) => LegendKey[];
  /** Called as somebody switches it: to start or stop asking for what it draws. */
  switched?: (on: boolean) => void;
}

interface Layers {
  layers: readonly MapLayer[];
  /** By id; what nobody chose is missing. */
  chosen: Readonly<Record<string, boolean>>;
  /** Counts `redrawLayers()`. */
  version: number;
}

const KEY = 'civicbrain-layers';
const store = makeStore<Layers>({ layers: [], chosen: readChosen(), version: 0 });

export const subscribeLayers = store.subscribe;

/** Add a layer, or put another in the place of one with its id. Returns how to take it away. */
export function registerLayer(layer: MapLayer): () => void {
  const others = store.get().layers.filter((one) => one.id !== layer.id);
  store.set({ layers: [...others, layer].sort((a, b) => a.order - b.order || a.id.localeCompare(b.id)) });
  if (isOn(layer.id)) layer.switched?.(true);
  return () => store.set({ layers: store.get().layers.filter((one) => one !== layer) });
}

export function isOn(id: string): boolean {
  const { chosen, layers } = store.get();
  return chosen[id] ?? layers.find((layer) => layer.id === id)?.on ?? false;
}

export function switchLayer(id: string, on: boolean): void {
  store.set({ chosen: { ...store.get().chosen, [id]: on } });
  try {
    localStorage.setItem(KEY, JSON.stringify(store.get().chosen));
  } catch {
    // a browser that keeps nothing still shows what was chosen
  }
  store.get().layers.find((layer) => layer.id === id)?.switched?.(on);
}

/** Have the map drawn again, with what the layers have now. */
export const redrawLayers = (): void => store.set({ version: store.get().version + 1 });

/** In a component: all layers with whether each is on, bottom first. */
export function useLayers(): { layer: MapLayer; on: boolean }[] {
  const layers = store.use((state) => state.layers);
  const chosen = store.use((state) => state.chosen);
  return layers.map((layer) => ({ layer, on: chosen[layer.id] ?? layer.on }));
}

/** Whether it is seen over the past, too: what the map draws by itself is, of the others only those that say so. */
export const drawsPast = ({ draw, past = false }: Pick<MapLayer, 'draw' | 'past'>): boolean => past || draw === undefined;

/** Everything registered that is on and draws, bottom first, below or above an order. past: the map shows it,
 * so what is known of the present stays away. */
export function drawLayers(drawing: Drawing, from: number, below: number, past = false): Layer[] {
  return store
    .get()
    .layers.filter((layer) => layer.order >= from && layer.order < below && (!past || drawsPast(layer)) && isOn(layer.id))
    .flatMap((layer) => layer.draw?.(drawing) ?? []);
}

function readChosen(): Record<string, boolean> {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'));
  } catch {
    return {};
  }
}
