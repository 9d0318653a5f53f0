/** What missions mean to people: phases of a corridor, order of the list, times with their uncertainty. */

import type { Mission, MissionBrief, Passage } from '../../api/mission-types';
import { formatClock, formatDuration } from '../../format';

/**
 * waiting: nothing is asked yet; opening: its stage is asked for; green: it shows; passed: the vehicle is
 * through; blocked: another mission goes first; returned: given back without having been passed.
 */
export type Phase = 'waiting' | 'opening' | 'green' | 'passed' | 'blocked' | 'returned';

export function phaseOf(passage: Passage, over: boolean): Phase {
  if (passage.passed_s !== null) return 'passed';
  if (over) return passage.opened_s === null ? 'waiting' : 'returned';
  switch (passage.state) {
    case 'open':
      return passage.shown ? 'green' : 'opening';
    case 'waits':
      return 'blocked';
    case 'held-back':
    case 'released':
      return 'returned';
    case 'passed':
    case 'recovers':
      return 'passed';
    default:
      return 'waiting';
  }
}

/** Seconds the vehicle was later (above 0) than first predicted, or is now expected to be; null: not known. */
export function lateness(passage: Passage): number | null {
  const latest = passage.passed_s ?? passage.predicted_s;
  return latest === null || passage.first_predicted_s === null ? null : latest - passage.first_predicted_s;
}

/** The same between the two clock times as they are shown: seconds that somebody can subtract. */
export function latenessShown(passage: Passage): number | null {
  const [first, latest] = [passage.first_predicted_s, passage.passed_s ?? passage.predicted_s];
  return latest === null || first === null ? null : Math.floor(latest) - Math.floor(first);
}

/** Mean absolute error of the first prediction over the junctions that were passed; null before the first. */
export function predictionError(passages: readonly Passage[]): number | null {
  const errors = passages.flatMap((p) => (p.passed_s === null ? [] : [lateness(p) ?? []].flat()));
  return errors.length ? errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length : null;
}

/** Under way: most urgent first, then who arrives first; after them those that are over, as they come. */
export function sortMissions(underWay: readonly MissionBrief[], ended: readonly MissionBrief[]): MissionBrief[] {
  const here = new Set(underWay.map((mission) => mission.id));
  const order = (a: MissionBrief, b: MissionBrief): number =>
    b.urgency - a.urgency || (a.eta_s ?? Infinity) - (b.eta_s ?? Infinity) || a.created_s - b.created_s || (a.id < b.id ? -1 : 1);
  return [...[...underWay].sort(order), ...ended.filter((mission) => mission.state === 'ended' && !here.has(mission.id))];
}

/** Share of the way that is driven, 0..1. */
export const progress = (mission: MissionBrief): number =>
  mission.length_m > 0 ? Math.min(1, Math.max(0, mission.progress_m / mission.length_m)) : 0;

/** "+4 s", "−12 s", "±0 s". */
export function formatSigned(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole === 0) return `±${formatDuration(0)}`;
  return (whole > 0 ? '+' : '−') + formatDuration(Math.abs(whole));
}

/** Within which it arrives: nobody arrives before now. Null where no margin is known. */
export function arrivalRange({ eta_s: etaS, eta_margin_s: marginS }: Arrival, nowS: number): [number, number] | null {
  return etaS === null || marginS === null ? null : [Math.max(nowS, etaS - marginS), Math.max(nowS, etaS + marginS)];
}

type Arrival = Pick<MissionBrief, 'eta_s' | 'eta_margin_s'>;

/** "08:15:40 ± 12 s", or "08:15:36–08:15:52" where that would begin in the past; "" while there is no arrival to tell. */
export function formatArrival(epoch: string, mission: Arrival, nowS: number): string {
  if (mission.eta_s === null) return '';
  const clock = formatClock(epoch, mission.eta_s);
  const range = arrivalRange(mission, nowS);
  if (range && range[0] === nowS) return range.map((at) => formatClock(epoch, at)).join('–');
  return mission.eta_margin_s === null ? clock : `${clock} ± ${formatDuration(mission.eta_margin_s)}`;
}

const STEP_S = 5;

/** Seconds won or lost, without their sign: as they were, or while the vehicle is under way in steps, for they are expected. */
export function wonShown({ state }: Pick<MissionBrief, 'state'>, wonS: number): number {
  const size = Math.abs(wonS);
  return state === 'ended' ? size : STEP_S * Math.round(size / STEP_S);
}

/** Where a vehicle was told to be, oldest first. */
export type Trail = readonly { timeS: number; x: number; y: number }[];

const TRAIL = 20;
/** A fix older than this says little of where the vehicle is now: it is not carried on further. */
const CARRY_S = 3;

/** The trail with the newest position of the mission; time that went back starts it anew. */
export function extendTrail(trail: Trail, brief: MissionBrief): Trail {
  if (brief.x_m === null || brief.y_m === null || brief.fix_s === null) return trail;
  const last = trail[trail.length - 1];
  if (last?.timeS === brief.fix_s) return trail;
  const fix = { timeS: brief.fix_s, x: brief.x_m, y: brief.y_m };
  return last && last.timeS > fix.timeS ? [fix] : [...trail.slice(1 - TRAIL), fix];
}

/**
 * Where a vehicle stands in the picture of timeS, so that its mark lies on the vehicle that is drawn: between
 * two positions it was told to be at, or the newest carried on with its speed and heading. null: never heard of.
 */
export function placeAt(trail: Trail, brief: MissionBrief, timeS: number): [number, number] | null {
  const last = trail[trail.length - 1];
  if (!last) return null;
  if (!Number.isFinite(timeS)) return [last.x, last.y];
  if (timeS >= last.timeS) {
    if (brief.heading_deg === null) return [last.x, last.y];
    const goneM = (brief.speed_mps ?? 0) * Math.min(CARRY_S, timeS - last.timeS);
    const angle = (brief.heading_deg * Math.PI) / 180;
    return [last.x + goneM * Math.sin(angle), last.y + goneM * Math.cos(angle)];
  }
  const after = trail.findIndex((fix) => fix.timeS > timeS);
  if (after === 0) return [trail[0].x, trail[0].y];
  const [a, b] = [trail[after - 1], trail[after]];
  const share = (timeS - a.timeS) / (b.timeS - a.timeS);
  return [a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)];
}

/** Metres driven at timeS, an instant not long before nowS, when progress_m was reckoned. */
export function drivenAt(mission: MissionBrief, nowS: number, timeS: number): number {
  if (mission.end === 'arrived') return Infinity;
  const behindS = Number.isFinite(timeS) ? Math.min(20, Math.max(0, nowS - timeS)) : 0;
  return Math.max(0, mission.progress_m - behindS * (mission.speed_mps ?? 0));
}

/** A sentence for screen readers when something has changed that an operator must know; "" when not. */
export function announcement(before: Mission | null, now: Mission, say: (mission: Mission) => string): string {
  const changed = !before || before.id !== now.id || before.state !== now.state || before.next_junction !== now.next_junction;
  return changed ? say(now) : '';
}

/** Whether two call signs mean one vehicle, whoever writes them. */
export const sameVehicle = (one: string, other: string): boolean => {
  const bare = (name: string): string => name.toLowerCase().replace(/\s+/g, '');
  return bare(other) !== '' && bare(one) === bare(other);
};
