/** What is planned for the coming seconds: its place on the timeline, and the lamps that follow from it. */

import type { Stage } from '../../api/types';
import type { Planned } from './api';
import { AHEAD_S, PAST_S } from './model';

/** Of the width: the coming seconds are few and matter most, so they are drawn wider than the past ones. */
const AHEAD_SHARE = 1 / 3;

/** Platform second → x: the past five minutes up to now, then the coming minute on a scale of its own. */
export function timeScale(nowS: number, left: number, width: number): (timeS: number) => number {
  const [past, ahead] = [width * (1 - AHEAD_SHARE), width * AHEAD_SHARE];
  return (timeS) => {
    const apart = Math.min(Math.max(timeS - nowS, -PAST_S), AHEAD_S);
    return left + past + (apart < 0 ? (apart / PAST_S) * past : (apart / AHEAD_S) * ahead);
  };
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

/** Planned stages one after the other, neighbours alike by the same one merged: for the sentence below. */
export function stepsOf(planned: readonly Planned[]): Planned[] {
  const found: Planned[] = [];
  for (const part of stretchesOf(planned)) {
    const last = found.at(-1);
    if (last?.stage === part.stage && last.by === part.by && last.who === part.who) found[found.length - 1] = { ...last, until_s: part.until_s };
    else found.push(part);
  }
  return found;
}
