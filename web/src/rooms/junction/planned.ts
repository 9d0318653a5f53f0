/** What is planned for the coming seconds: its place on the timeline, and the lamps that follow from it. */

import type { Stage } from '../../api/types';
import type { Planned } from './api';
import { AHEAD_S, PAST_S } from './model';

/** Of the width: the coming seconds are few and matter most, so they are drawn wider than the past ones. */
const AHEAD_SHARE = 1 / 3;

/** Platform second → x: the past minutes up to now, then the coming minute on a scale of its own. */
export function timeScale(nowS: number, left: number, width: number, pastS = PAST_S): (timeS: number) => number {
  const [past, ahead] = [width * (1 - AHEAD_SHARE), width * AHEAD_SHARE];
  return (timeS) => {
    const apart = Math.min(Math.max(timeS - nowS, -pastS), AHEAD_S);
    return left + past + (apart < 0 ? (apart / pastS) * past : (apart / AHEAD_S) * ahead);
  };
}

/** Past seconds that find room: five minutes where a stage of ten seconds can still carry its name, else two. */
export const pastOf = (width: number): number => (width >= 520 ? PAST_S : 120);

/** Seconds ahead that are named: every quarter of the minute, or its half, as far as names keep apart. */
export function aheadSteps(width: number, leastPx = 40): number[] {
  const pxPerS = (width * AHEAD_SHARE) / AHEAD_S;
  return [15, 30].map((step) => Array.from({ length: Math.ceil(AHEAD_S / step) - 1 }, (_, k) => step * (k + 1))).find(([step]) => step * pxPerS >= leastPx) ?? [];
}

/** Stages that are meant to be shown (an expected mission is none of them yet). */
export const stretchesOf = (planned: readonly Planned[]): Planned[] => planned.filter((part) => part.until_s > part.from_s);

/** Missions that are expected within the minute shown. */
export const missionsOf = (planned: readonly Planned[], nowS: number): Planned[] =>
  planned.filter((part) => part.by === 'mission' && part.until_s === part.from_s && part.from_s > nowS && part.from_s <= nowS + AHEAD_S);

export interface PlannedLamp {
  from_s: number;
  until_s: number;
  lamp: string;
}

/** The lamp of one group (its row) under the planned stages; neighbours alike are one. */
export function plannedLamps(planned: readonly Planned[], stages: readonly Stage[], group: number): PlannedLamp[] {
  const found: PlannedLamp[] = [];
  for (const { from_s, until_s, stage } of stretchesOf(planned)) {
    const lamp = stages.find((one) => one.id === stage)?.lamps[group];
    if (!lamp) continue;
    const last = found.at(-1);
    if (last?.lamp === lamp && last.until_s === from_s) last.until_s = until_s;
    else found.push({ from_s, until_s, lamp });
  }
  return found;
}

/** A brain looks some seconds ahead and no further: what begins so shortly before that end is no plan. */
const LEAST_S = 3;

/** Planned stages one after the other, neighbours alike by the same one merged: for the sentence below. */
export function stepsOf(planned: readonly Planned[]): Planned[] {
  const found: Planned[] = [];
  for (const part of stretchesOf(planned)) {
    const last = found.at(-1);
    if (last?.stage === part.stage && last.by === part.by && last.who === part.who) found[found.length - 1] = { ...last, until_s: part.until_s };
    else found.push(part);
  }
  return found.filter((part, k) => k === 0 || k + 1 < found.length || part.until_s - part.from_s >= LEAST_S);
}
