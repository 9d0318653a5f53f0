/** Open cases on the live map: a mark of shape, colour and word at each, the lanes that it takes, and a ring around the
 * one that is open. A click on a mark opens its case. */

import { PathLayer, ScatterplotLayer, SolidPolygonLayer, TextLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import { URGENCY_LEVELS, type CaseSummary } from '../../api/case-types';
import { registerLayer, redrawLayers, isOn, type Drawing } from '../../map/layers';
import { css, PALETTES, type Rgba, type Theme } from '../../map/palette';
import { selectJunction } from '../../state/actions';
import { getRoute, go } from '../../state/route';
import { getState, setState, subscribe } from '../../state/store';
import { shapeOf } from './model';
import { lanesOf } from './places';
import { getSpot, isPicking } from './spot';
import { getDesk, lookFromMap, subscribeDesk } from './store';
import { casesText } from './text';
import { pageFont } from '../../map/font';

const LAYER = 'incidents';
const MARK_PX = 12;
const WORDS_FROM_ZOOM = 13.5;

let started = false;

export function startLayer(): void {
  if (started) return;
  started = true;
  registerLayer({
    id: LAYER,
    label: casesText.layer,
    order: 80,
    on: true,
    draw,
    keys: () => [
      ...URGENCY_LEVELS.map((level) => ({ colour: css(PALETTES[getState().theme].urgency[level]), label: casesText.layerKeys[level], shape: shapeOf(level) })),
      { colour: css(PALETTES[getState().theme].urgency.high), label: casesText.layerKeys.lanes, shape: 'line' as const },
    ],
    switched: lookFromMap,
  });
  let [cases, item] = [getDesk().cases, getRoute().item];
  subscribeDesk(() => {
    if (getDesk().cases !== cases) {
      cases = getDesk().cases;
      redrawLayers();
    }
  });
  let map = getState().map;
  if (map) listen();
  subscribe(() => {
    if (getState().map !== map) {
      map = getState().map;
      if (map) listen();
    }
    if (getRoute().item !== item) {
      item = getRoute().item;
      redrawLayers();
    }
  });
}

const openCases = (): readonly CaseSummary[] => getDesk().cases ?? [];

/** A click on a mark opens its case; the map itself has then chosen the junction beneath, or none. */
function listen(): void {
  const { map } = getState();
  if (!map) return;
  const hit = (point: { x: number; y: number }): CaseSummary | undefined => {
    if (!isOn(LAYER)) return undefined;
    const away = (one: CaseSummary): number => {
      const at = map.screenOf(one.place.x_m, one.place.y_m);
      return Math.hypot(at.x - point.x, at.y - point.y);
    };
    return openCases()
      .filter((one) => away(one) < MARK_PX + 4)
      .sort((a, b) => away(a) - away(b))[0];
  };
  map.map.on('click', (event) => {
    if (isPicking() || getState().picking !== null) return;
    const one = hit(event.point);
    if (!one) return;
    selectJunction(null);
    setState({ panelOpen: true });
    go('cases', one.id);
  });
}

function lanePaths(one: CaseSummary, at: Drawing['at']): [number, number][][] {
  const { geometry } = getState();
  if (!geometry || !one.place.edge) return [];
  const rows = lanesOf(one.place.edge, geometry);
  const taken = one.place.lanes.length ? one.place.lanes.map((index) => rows[index]).filter((row) => row !== undefined) : rows;
  return taken.map((row) => {
    const points = geometry.lanes.points[row];
    const path: [number, number][] = [];
    for (let k = 0; k + 1 < points.length; k += 2) path.push(at(points[k], points[k + 1]));
    return path;
  });
}

function draw({ common, at, zoom }: Drawing): Layer[] {
  const { theme, map } = getState();
  const colours = PALETTES[theme].urgency;
  const cases = openCases();
  const spot = getSpot();
  const opened = cases.find((one) => one.id === getRoute().item);
  const metres = map?.metresPerPixel() ?? 1;
  const base = { ...common, parameters: { depthCompare: 'always', depthWriteEnabled: false } };
  const mark = (one: CaseSummary, px: number): [number, number][] => {
    const [x, y] = at(one.place.x_m, one.place.y_m);
    return shapeOf(one.urgency).map(([dx, dy]) => [x + dx * px * metres, y - dy * px * metres]);
  };
  const marks = (id: string, px: number, colour: (one: CaseSummary) => Rgba): Layer =>
    new SolidPolygonLayer<CaseSummary>({
      ...base,
      id,
      data: cases,
      getPolygon: (one: CaseSummary) => mark(one, px),
      getFillColor: colour,
      updateTriggers: { getPolygon: [metres], getFillColor: [theme] },
    } as never);
  const ring = spot ?? (opened && opened.place);
  return [
    new PathLayer<{ path: [number, number][]; colour: Rgba }>({
      ...base,
      id: 'incident-lanes',
      data: cases.flatMap((one) => lanePaths(one, at).map((path) => ({ path, colour: colours[one.urgency] }))),
      getPath: (line: { path: [number, number][] }) => line.path,
      getColor: (line: { colour: Rgba }) => [line.colour[0], line.colour[1], line.colour[2], 190],
      getWidth: 2.6,
      widthUnits: 'meters',
      widthMinPixels: 3,
      capRounded: true,
    } as never),
    new ScatterplotLayer({
      ...base,
      id: 'incident-ring',
      data: ring ? [ring] : [],
      getPosition: (place: { x_m: number; y_m: number }) => at(place.x_m, place.y_m),
      radiusUnits: 'pixels',
      getRadius: MARK_PX + 11,
      filled: false,
      stroked: true,
      lineWidthUnits: 'pixels',
      getLineWidth: 3,
      getLineColor: PALETTES[theme].mission.text,
    } as never),
    marks('incident-grounds', MARK_PX + 3, () => PALETTES[theme].mission.ground),
    marks('incident-marks', MARK_PX, (one) => colours[one.urgency]),
    ...wordsLayer(base, at, theme, zoom >= WORDS_FROM_ZOOM ? cases : cases.filter((one) => one.id === opened?.id)),
  ];
}

/** None of no words: letters are drawn from those that occur, and of none there is no picture to take them from. */
function wordsLayer(base: object, at: Drawing['at'], theme: Theme, cases: readonly CaseSummary[]): Layer[] {
  if (cases.length === 0) return [];
  const { text: ink, ground } = PALETTES[theme].mission;
  return [
    new TextLayer<CaseSummary>({
      ...base,
      id: 'incident-words',
      data: cases,
      getPosition: (one: CaseSummary) => at(one.place.x_m, one.place.y_m),
      getText: (one: CaseSummary) => `${casesText.kind[one.kind]} · ${casesText.urgency[one.urgency]}`,
      getSize: 13,
      getPixelOffset: [MARK_PX + 8, 0],
      getTextAnchor: 'start',
      getColor: ink,
      background: true,
      getBackgroundColor: [ground[0], ground[1], ground[2], 215],
      backgroundPadding: [5, 2, 5, 2],
      characterSet: 'auto',
      fontFamily: pageFont(),
      fontWeight: 600,
      updateTriggers: { getColor: [theme], getBackgroundColor: [theme] },
    } as never),
  ];
}
