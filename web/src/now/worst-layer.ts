/** The worst places on the map, numbered as in the list, and the place of the row that somebody points at. */

import type { Layer } from '@deck.gl/core';
import { ScatterplotLayer, TextLayer } from '@deck.gl/layers';
import { redrawLayers, registerLayer, type Drawing } from '../map/layers';
import { css, PALETTES } from '../map/palette';
import { getRoute, HOME } from '../state/route';
import { getState } from '../state/store';
import type { WorstPlace } from './api';
import { nowStore } from './store';
import { words } from './text';
import { pageFont } from '../map/font';

interface Mark {
  x_m: number;
  y_m: number;
  rank: string;
}

/** As the list has them: what is aimed at keeps its number while it is kept. */
export function ranksShown(): readonly WorstPlace[] | null {
  const { worst, listed } = nowStore.get();
  return listed ?? worst;
}

function marks(): { ranked: Mark[]; pointed: Mark[] } {
  const { geometry } = getState();
  const { pointed } = nowStore.get();
  const worst = ranksShown();
  const row = new Map(geometry?.junctions.map((one) => [one.id, one]));
  const at = (id: string, rank: string): Mark[] => {
    const place = row.get(id);
    return place ? [{ x_m: place.x_m, y_m: place.y_m, rank }] : [];
  };
  return { ranked: (worst ?? []).flatMap((place, k) => at(place.junction, String(k + 1))), pointed: pointed ? at(pointed, '') : [] };
}

const NEAR_M = 400;

/** Where a rank stands beside its junction, in pixels: away from the nearest other that has one, so that two junctions
 * side by side can both be read. */
export function besideOf(one: { x_m: number; y_m: number }, all: readonly { x_m: number; y_m: number }[]): [number, number] {
  let [right, up, nearest] = [true, true, NEAR_M];
  for (const other of all) {
    const [dx, dy] = [one.x_m - other.x_m, one.y_m - other.y_m];
    const away = Math.hypot(dx, dy);
    if (other !== one && away < nearest) [right, up, nearest] = [dx >= 0, dy >= 0, away];
  }
  return [right ? 17 : -17, up ? -15 : 15];
}

function draw({ common, at }: Drawing): Layer[] {
  const palette = PALETTES[getState().theme];
  const { ranked, pointed } = marks();
  const position = (one: Mark): [number, number] => at(one.x_m, one.y_m);
  const shown = getRoute().room === HOME ? ranked : [];
  return [
    new ScatterplotLayer({
      ...common, id: 'pointed', data: pointed, getPosition: position, radiusUnits: 'pixels', getRadius: 22, filled: false, stroked: true,
      lineWidthUnits: 'pixels', getLineWidth: 4, getLineColor: palette.focus,
    } as never),
    new TextLayer<Mark>({
      ...common, id: 'worst', data: shown, getPosition: position, getText: (one: Mark) => one.rank, getSize: 13, getColor: palette.mission.text,
      getPixelOffset: (one: Mark) => besideOf(one, shown), background: true, getBackgroundColor: palette.mission.ground, backgroundPadding: [5, 2], getBorderColor: palette.standing,
      getBorderWidth: 2, fontFamily: pageFont(), fontWeight: 700, characterSet: '0123456789',
    } as never),
  ];
}

export function registerWorstLayer(): void {
  registerLayer({
    id: 'worst',
    label: words.layers.worst,
    order: 72,
    on: true,
    draw,
    keys: () => [{ colour: css(PALETTES[getState().theme].standing), label: words.layers.worstKey, shape: 'numbered' }],
  });
  let [worst, pointed] = [ranksShown(), nowStore.get().pointed];
  nowStore.subscribe(() => {
    const now = { worst: ranksShown(), pointed: nowStore.get().pointed };
    if (now.worst === worst && now.pointed === pointed) return;
    ({ worst, pointed } = now);
    redrawLayers();
  });
}
