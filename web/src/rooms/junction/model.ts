/** What the room reckons: times, curves and explanations. No page in here. */

import type { LocalPlan } from '../../api/types';
import type { FullRoad } from '../../now/api';
import type { Route } from '../../state/route';
import { directionOf } from '../../map/compass';
import type { GroundPlan, LedgerEntry, Override, PlanLane, Stretch } from './api';

/** Past and future that the timeline shows. */
export const PAST_S = 300;
export const AHEAD_S = 60;

/** Whole seconds that an override has left, 0 when it is over. */
export const secondsLeft = (override: Pick<Override, 'expires_s'>, timeS: number): number =>
  Number.isFinite(timeS) ? Math.max(0, Math.ceil(override.expires_s - timeS)) : 0;

export interface Emptying {
  junction: string;
  sinceS: number;
  /** Edge of the full road. */
  road: string;
}

/** For which full road an override was asked for, as the address of its form says; null: for none. */
export function fulfils({ item, query }: Pick<Route, 'item' | 'query'>, { junction, stage, since_s: sinceS }: Pick<Override, 'junction' | 'stage' | 'since_s'>): Emptying | null {
  return query['road'] && item === junction && query['stage'] === stage ? { junction, sinceS, road: query['road'] } : null;
}

/** Whether that road is full no longer. full: those that are. */
export function isEmptied(emptying: Emptying | null, { junction, since_s: sinceS }: Pick<Override, 'junction' | 'since_s'>, full: readonly FullRoad[]): boolean {
  return emptying !== null && emptying.junction === junction && emptying.sinceS === sinceS && !full.some(({ cause }) => cause.road === emptying.road);
}

const [BACK_M, APART_M] = [5, 4.2];

/** Where a label stands before the stop line at (x, y), metres: further back where another one stands already. u: the
 * direction of the lane. */
export function clearOf(placed: readonly (readonly [number, number])[], x: number, y: number, u: { x: number; y: number }): [number, number] {
  let back = BACK_M;
  const at = (): [number, number] => [x - u.x * back, y - u.y * back];
  while (placed.some(([px, py]) => Math.hypot(px - at()[0], py - at()[1]) < APART_M)) back += APART_M / 2;
  return at();
}

const ENDS = ['give back', 'expired', 'not resumed', 'time went back'];

/** What the record, newest first, says of an override's end; undefined while it says nothing yet. */
export const endOf = (record: readonly LedgerEntry[], { actor, since_s: sinceS }: Pick<Override, 'actor' | 'since_s'>): LedgerEntry | undefined =>
  record.find(({ body, time_s: timeS }) => ENDS.includes(String(body['what'])) && body['set_by'] === actor && (timeS ?? -Infinity) >= sinceS);

/** The stages of the local plan between two moments, as its clock has them. */
export function localStages(plan: LocalPlan, fromS: number, untilS: number): Stretch[] {
  const { steps, offset_s: offset, cycle_s: cycle } = plan;
  if (!steps.length || !(cycle > 0) || !(untilS > fromS)) return [];
  const found: Stretch[] = [];
  let at = fromS - ((((fromS - offset) % cycle) + cycle) % cycle);
  for (let k = 0; at < untilS && k < 10_000; k++) {
    const { stage, duration_s: duration } = steps[k % steps.length];
    const [from, until] = [Math.max(at, fromS), Math.min(at + duration, untilS)];
    const last = found.at(-1);
    if (until > from) {
      if (last?.value === stage) last.until_s = until;
      else found.push({ from_s: from, until_s: until, value: stage });
    }
    at += duration;
  }
  return found;
}

/** The queue of a junction at this moment: of its approaches together, as they are listed below it; before those are
 * known what its state says. null: no camera sees it. */
export function queueNow(approaches: readonly { now_veh?: number | null }[] | undefined, told: number | null): number | null {
  const known = (approaches ?? []).flatMap(({ now_veh: veh }) => (veh == null ? [] : [veh]));
  return known.length ? known.reduce((sum, veh) => sum + veh, 0) : told;
}

export interface Point {
  x: number;
  y: number;
}

const end = (lane: PlanLane): Point => ({ x: lane.points.at(-2) ?? 0, y: lane.points.at(-1) ?? 0 });
const start = (lane: PlanLane): Point => ({ x: lane.points[0], y: lane.points[1] });

/** Unit vector of a lane at its end, or at its start. */
export const direction = ({ points }: PlanLane, at: 'start' | 'end'): Point => directionOf(points, at);

/** The way through the junction as a cubic curve: [from, control, control, to]. */
export function curve(from: PlanLane, to: PlanLane): [Point, Point, Point, Point] {
  const [a, b] = [end(from), start(to)];
  const [u, v] = [direction(from, 'end'), direction(to, 'start')];
  const reach = 0.45 * Math.hypot(b.x - a.x, b.y - a.y);
  return [a, { x: a.x + u.x * reach, y: a.y + u.y * reach }, { x: b.x - v.x * reach, y: b.y - v.y * reach }, b];
}

/** What of the plan is shown: all places where movements begin and end, and some metres of each arm. */
export function viewOf(plan: GroundPlan, armM = 38): { x: number; y: number; width: number; height: number } {
  const points: Point[] = plan.movements.flatMap(({ from_lane, to_lane }) => [end(plan.lanes[from_lane]), start(plan.lanes[to_lane])]);
  if (!points.length) points.push({ x: plan.x_m, y: plan.y_m });
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const [left, right] = [Math.min(...xs) - armM, Math.max(...xs) + armM];
  const [low, high] = [Math.min(...ys) - armM, Math.max(...ys) + armM];
  return { x: left, y: low, width: right - left, height: high - low };
}

export interface StageCost {
  stage: string;
  cost: number;
}

/** What an explanation of the signals brain holds, as far as it does. */
export interface Reasons {
  chosen: string;
  said: string;
  /** Expected delay of each stage, least first. */
  costs: StageCost[];
  /** Weighted vehicles a second of each stage, most first, and for how long. */
  worths: (StageCost & { spanS: number })[];
  /** A bus or an emergency vehicle that it is held for. */
  bus: { line: string; kind: string; stage: string; behindS: number; arrivalS: number } | null;
  mission: { id: string; stage: string; arrivalS: number } | null;
  groups: { group: string; demand: number | null; queue: number | null; reckoned: boolean; full: boolean }[];
  /** Whatever else it says. */
  rest: Record<string, unknown>;
}

const mapping = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const numbers = (value: unknown): [string, number][] =>
  Object.entries(mapping(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);

export function readExplanation(explanation: Record<string, unknown>): Reasons {
  const { chosen, why, expected_delay_veh_s, stages, demand_veh, queue_veh, full_outlets, reckoned_groups, ...others } = explanation;
  const { schedule: _drawn, ...further } = others; // on the timeline
  const { bus, mission, rest } = vehiclesOf(further);
  const demand = new Map(numbers(demand_veh));
  const queue = new Map(numbers(queue_veh));
  const [full, reckoned] = [strings(full_outlets), strings(reckoned_groups)];
  const names = [...new Set([...demand.keys(), ...queue.keys(), ...full, ...reckoned])];
  const worths = Object.entries(mapping(stages)).flatMap(([stage, value]) => {
    const { worth, span_s } = mapping(value);
    return typeof worth === 'number' ? [{ stage, cost: worth, spanS: typeof span_s === 'number' ? span_s : 0 }] : [];
  });
  return {
    chosen: typeof chosen === 'string' ? chosen : '',
    said: typeof why === 'string' ? why : '',
    costs: numbers(expected_delay_veh_s)
      .map(([stage, cost]) => ({ stage, cost }))
      .sort((a, b) => a.cost - b.cost),
    worths: worths.sort((a, b) => b.cost - a.cost),
    bus,
    mission,
    groups: names.map((group) => ({
      group,
      demand: demand.get(group) ?? null,
      queue: queue.get(group) ?? null,
      reckoned: reckoned.includes(group),
      full: full.includes(group),
    })),
    rest: Object.fromEntries(Object.entries(rest).filter(([, value]) => !isEmpty(value))),
  };
}

/** Whom the priority room says it is for; what it says beside is for engineers. */
function vehiclesOf(said: Record<string, unknown>): Pick<Reasons, 'bus' | 'mission' | 'rest'> {
  const { stage, arrival_s } = said;
  if (typeof stage !== 'string' || typeof arrival_s !== 'number') return { bus: null, mission: null, rest: said };
  const { bus, line, kind, behind_s, mission } = said;
  if (typeof bus === 'string') {
    const behindS = typeof behind_s === 'number' ? behind_s : 0;
    return { bus: { line: String(line ?? bus), kind: String(kind), stage, behindS, arrivalS: arrival_s }, mission: null, rest: {} };
  }
  if (typeof mission === 'string') return { bus: null, mission: { id: mission, stage, arrivalS: arrival_s }, rest: {} };
  return { bus: null, mission: null, rest: said };
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);

/** Sum of what is known, null where nothing is. */
export function total(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}
