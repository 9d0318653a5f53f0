/** Missions on the live map: every vehicle; of the chosen one its way, and its junctions by their state. */

import { PathLayer, ScatterplotLayer, TextLayer } from '@deck.gl/layers';
import type { Layer } from '@deck.gl/core';
import type { Mission, MissionBrief } from '../../api/mission-types';
import { redrawLayers, registerLayer } from '../../map/layers';
import { PALETTES, type MissionColours, type Rgba } from '../../map/palette';
import { getRoute } from '../../state/route';
import { getState, subscribe } from '../../state/store';
import { markOf } from './actions';
import { drivenAt, extendTrail, phaseOf, placeAt, type Phase, type Trail } from './model';
import { room } from './room';
import { lineOf, splitLine, streetsOf } from '../../map/streets';
import { pageFont } from '../../map/font';

const REDRAW_MS = 100;
const GLYPH: Record<string, string> = { ambulance: '+', fire: 'F', police: 'P', other: '!' };

interface Spot {
  x: number;
  y: number;
}
interface Stop extends Spot {
  phase: Phase;
  label: string;
}
interface Vehicle extends Spot {
  brief: MissionBrief;
  chosen: boolean;
}

const trails = new Map<string, Trail>();
let started = false;

/** Draw missions from now on, whenever there are any. */
export function startOverlay(): void {
  if (started) return;
  started = true;
  let sequence = -1;
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  registerLayer({ id: 'missions', label: room.label, order: 70, on: true, draw: ({ common, origin }) => layers(common, origin) });
  subscribe(() => {
    const state = getState();
    if (!state.map) return;
    if (state.snapshot && state.snapshot.sequence !== sequence) {
      sequence = state.snapshot.sequence;
      remember(state.snapshot.missions);
      const chosen = state.snapshot.missions.find((brief) => brief.id === state.missionId);
      const spot = state.follow && chosen ? placeAt(trails.get(chosen.id) ?? [], chosen, state.snapshot.time_s) : null;
      if (spot) state.map.centre(...spot);
    }
    redrawLayers();
  });
  window.setInterval(() => {
    const { map, snapshot } = getState();
    if (map && !calm && document.visibilityState === 'visible' && snapshot?.missions.length) map.redraw();
  }, REDRAW_MS);
}

function remember(missions: readonly MissionBrief[]): void {
  for (const brief of missions) trails.set(brief.id, extendTrail(trails.get(brief.id) ?? [], brief));
  for (const id of [...trails.keys()]) if (!missions.some((brief) => brief.id === id)) trails.delete(id);
}

/** What is drawn apart from the vehicles: worked out again only when what it is made of is another. */
interface Still {
  of: readonly unknown[];
  driven: Way[];
  ahead: Way[];
  choice: Way[];
  stops: Stop[];
  picks: (Spot & { label: string })[];
}
interface Way {
  path: [number, number][];
}
let still: Still | null = null;

function stillNow(origin: readonly [number, number]): Still {
  const { geometry, theme, mission, missionId, choice, picked, snapshot, map } = getState();
  const { room } = getRoute();
  const of = [geometry, theme, mission, missionId, choice, picked, room];
  if (still && of.every((part, k) => part === still?.of[k])) return still;
  const way = (line: number[]): Way[] => (line.length >= 4 ? [{ path: pairs(line, origin) }] : []);
  still = { of, driven: [], ahead: [], choice: [], stops: [], picks: [] };
  if (!geometry || room !== 'missions') return still;
  const streets = streetsOf(geometry);
  if (mission && mission.id === missionId) {
    const drivenM = drivenAt(mission, snapshot?.time_s ?? Number.NaN, map?.picture.timeS ?? Number.NaN);
    const [driven, ahead] = splitLine(lineOf(streets, mission.edges), drivenM);
    Object.assign(still, { driven: way(driven), ahead: way(ahead), stops: stopsOf(mission) });
  }
  if (choice) still.choice = way(lineOf(streets, choice.edges));
  still.picks = picksOf(picked);
  return still;
}

function layers(common: object, origin: readonly [number, number]): Layer[] {
  const { theme, snapshot, missionId, map } = getState();
  const colours = PALETTES[theme].mission;
  const base = { ...common, parameters: { depthCompare: 'always', depthWriteEnabled: false } };
  const at = (spot: Spot): [number, number] => [spot.x - origin[0], spot.y - origin[1]];
  const now = stillNow(origin);
  const path = (id: string, data: Way[], color: Rgba, width: number): Layer =>
    new PathLayer<Way>({
      ...base,
      id,
      data,
      getPath: (one: Way) => one.path,
      getColor: color,
      getWidth: width,
      widthUnits: 'pixels',
      capRounded: true,
      jointRounded: true,
    } as never);
  return [
    path('mission-driven', now.driven, colours.driven, 5),
    path('mission-ahead', now.ahead, colours.route, 6),
    path('dispatch-way', now.choice, colours.route, 5),
    ...stopLayers(now.stops, base, at, colours),
    ...badge('mission-picks', now.picks, base, at, colours.route, colours.ground, 11),
    ...vehicleLayers(vehiclesNow(snapshot?.missions ?? [], missionId, map?.picture.timeS ?? Number.NaN), base, at, colours),
  ];
}

function stopsOf(mission: Mission): Stop[] {
  const { geometry } = getState();
  return mission.passages.flatMap((passage, k) => {
    const junction = geometry?.junctions.find((one) => one.id === passage.junction);
    return junction ? [{ x: junction.x_m, y: junction.y_m, phase: phaseOf(passage, mission.state === 'ended'), label: String(k + 1) }] : [];
  });
}

/** Hollow: waiting; ring with a thick line: opening; filled: green; small and filled: passed. */
function stopLayers(stops: Stop[], base: object, at: (s: Spot) => [number, number], colours: MissionColours): Layer[] {
  const filled = (stop: Stop): boolean => stop.phase === 'green' || stop.phase === 'passed';
  return [
    new ScatterplotLayer<Stop>({
      ...base,
      id: 'mission-junctions',
      data: stops,
      getPosition: at,
      radiusUnits: 'pixels',
      getRadius: (stop: Stop) => (stop.phase === 'passed' || stop.phase === 'returned' ? 9 : stop.phase === 'green' ? 14 : 12),
      stroked: true,
      filled: true,
      getFillColor: (stop: Stop) => (filled(stop) ? colours[phaseColour(stop.phase)] : colours.ground),
      getLineColor: (stop: Stop) => (stop.phase === 'green' ? colours.text : colours[phaseColour(stop.phase)]),
      lineWidthUnits: 'pixels',
      getLineWidth: (stop: Stop) => (stop.phase === 'opening' ? 5 : stop.phase === 'green' ? 2.5 : 2),
    } as never),
    new TextLayer<Stop>({
      ...base,
      id: 'mission-junction-numbers',
      data: stops,
      getPosition: at,
      getText: (stop: Stop) => stop.label,
      getSize: (stop: Stop) => (stop.phase === 'passed' ? 10 : 12),
      getColor: (stop: Stop) => (filled(stop) ? colours.ground : colours.text),
      fontFamily: pageFont(),
      fontWeight: 700,
    } as never),
  ];
}

const phaseColour = (phase: Phase): keyof MissionColours => (phase === 'returned' ? 'waiting' : phase);

const SIGNS: Record<string, string> = { from: 'A', to: 'B', address: '?', candidate: '+' };

const picksOf = (picked: Partial<Record<string, string>>): (Spot & { label: string })[] =>
  Object.entries(picked).flatMap(([field, edge]) => {
    const point = markOf(edge);
    return point ? [{ x: point[0], y: point[1], label: SIGNS[field] ?? '' }] : [];
  });

function vehiclesNow(missions: readonly MissionBrief[], chosen: string | null, timeS: number): Vehicle[] {
  return missions.flatMap((brief) => {
    const spot = placeAt(trails.get(brief.id) ?? [], brief, timeS);
    return spot ? [{ x: spot[0], y: spot[1], brief, chosen: brief.id === chosen }] : [];
  });
}

function vehicleLayers(vehicles: Vehicle[], base: object, at: (s: Spot) => [number, number], colours: MissionColours): Layer[] {
  const marks = vehicles.map((one) => ({ x: one.x, y: one.y, label: one.brief.state === 'lost' ? '?' : (GLYPH[one.brief.kind] ?? '!') }));
  const halo = new ScatterplotLayer<Vehicle>({
    ...base,
    id: 'mission-halo',
    data: vehicles.filter((one) => one.chosen),
    getPosition: at,
    radiusUnits: 'pixels',
    getRadius: 20,
    filled: false,
    stroked: true,
    lineWidthUnits: 'pixels',
    getLineWidth: 3,
    getLineColor: colours.route,
  } as never);
  // one vehicle is known by its mark; of several each says which it is
  const names = vehicles.length < 2 ? [] : vehicles;
  const labels = new TextLayer<Vehicle>({
    ...base,
    id: 'mission-names',
    data: names,
    getPosition: at,
    getText: (one: Vehicle) => one.brief.vehicle || one.brief.id,
    getSize: 12,
    getPixelOffset: [0, 24],
    getColor: colours.text,
    background: true,
    getBackgroundColor: colours.ground,
    backgroundPadding: [4, 1],
    characterSet: 'auto',
    fontFamily: pageFont(),
    fontWeight: 700,
  } as never);
  return [halo, labels, ...badge('mission-vehicles', marks, base, at, colours.route, colours.ground, 13)];
}

function badge(
  id: string,
  marks: (Spot & { label: string })[],
  base: object,
  at: (s: Spot) => [number, number],
  fill: Rgba,
  ink: Rgba,
  radius: number,
): Layer[] {
  return [
    new ScatterplotLayer({
      ...base,
      id,
      data: marks,
      getPosition: at,
      radiusUnits: 'pixels',
      getRadius: radius,
      getFillColor: [fill[0], fill[1], fill[2], 255],
      stroked: true,
      lineWidthUnits: 'pixels',
      getLineWidth: 2,
      getLineColor: ink,
    } as never),
    new TextLayer({
      ...base,
      id: `${id}-signs`,
      data: marks,
      getPosition: at,
      getText: (mark: { label: string }) => mark.label,
      getSize: radius * 1.5,
      getColor: ink,
      fontFamily: pageFont(),
      fontWeight: 800,
    } as never),
  ];
}

const pairs = (line: readonly number[], origin: readonly [number, number]): [number, number][] => {
  const points: [number, number][] = [];
  for (let k = 0; k + 1 < line.length; k += 2) points.push([line[k] - origin[0], line[k + 1] - origin[1]]);
  return points;
};
