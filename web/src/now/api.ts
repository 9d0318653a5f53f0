/** Vital signs and the worst junctions, as the API tells them. */

import { request } from '../api/client';
import type { MissionKind } from '../api/mission-types';
import type { Known } from '../api/types';

export type SignId = 'delay' | 'throughput' | 'vehicles' | 'spill-backs' | 'incidents' | 'silent-cameras' | 'local-controllers' | 'brains';

export interface VitalSign {
  id: SignId;
  unit: string;
  good_when: 'lower' | 'higher';
  value: Known;
  /** Of how many, where it is a count of something. */
  of: Known;
  fixed: Known;
  fixed_note: '' | 'computing' | 'no-minute' | 'no-meaning';
  usual: Known;
  usual_days: number;
  usual_note: '' | 'asking' | 'no-history' | 'no-days' | 'not-measured';
  /** Seconds that it is of, while its window is not full. */
  span_s?: Known;
  state: 'ok' | 'watch' | 'bad' | 'unknown';
}

export interface VitalSigns {
  time_s: number;
  age_s: number;
  stale: boolean;
  signs: VitalSign[];
}

export type CauseKind =
  | 'incident'
  | 'override'
  | 'camera-silent'
  | 'spill-back'
  | 'local-mode'
  | 'priority'
  | 'demand'
  | 'full-approach'
  | 'uneven'
  | 'unknown';

/** The vehicle for which a junction is held; a bus, or that of a mission. */
export interface HeldFor {
  id: string;
  kind: MissionKind | 'bus';
  /** Its call sign; of a bus its line. */
  name: string;
  /** Where a mission drives to, "" not known. */
  to_edge: string;
  stage: string;
  /** When it is expected at the stop line. */
  until_s: Known;
}

/** What the brain has in mind with the stage that a cause names; '' where it does not say. */
export type StageState = '' | 'shown' | 'next' | 'costs-more' | 'other' | 'left-out';

export type Remedy =
  | 'open-incident'
  | 'give-back'
  | 'look-at-camera'
  | 'look-downstream'
  | 'request-drain'
  | 'switch-brain-on'
  | 'follow-mission'
  | 'try-what-if'
  | 'show-stage'
  | 'see-reasons'
  | 'look-at-junction';

/** What can be done about a full road: a stage there, further on, or here, where none has room. */
export interface Drain {
  kind: 'empty' | 'beyond' | 'hold-back' | 'held' | 'none';
  /** Where to act, and with which stage: "" for none. */
  junction: string;
  stage: string;
  /** Edge of the road that it empties or spares, and its street. */
  road: string;
  road_name: string;
  /** Share of those on it that get out; the junction for whose sake the others wait. */
  serves: number;
  shut: string;
  /** The junction that ends another full road into which the stage lets vehicles. */
  feeds: string;
  feeder: string;
  feeder_name: string;
  held_by: string;
  stage_state: StageState;
  chosen: string;
  from_s: Known;
  more_veh_s: Known;
}

export interface Cause {
  kind: CauseKind;
  remedy: Remedy;
  says: string;
  figures: Record<string, number>;
  about: string;
  /** Street of the approach it speaks of, "" for none. */
  name: string;
  stage: string;
  stage_state: StageState;
  /** The stage that the brain chooses instead. */
  chosen: string;
  /** Edge of the road ahead that is full, and its street. */
  road: string;
  road_name: string;
  /** Edge of who is held back by it, "" for all. */
  approach: string;
  /** Of a full road. */
  drain: Drain | null;
}

export interface WorstPlace {
  junction: string;
  standing_veh: number;
  queue_veh: number;
  delay_s: Known;
  fullest: string;
  fullest_share: number;
  causes: Cause[];
  held_for: HeldFor | null;
}

/** A road that spills back; junction: a signal that it leads away from. */
export interface FullRoad {
  junction: string;
  cause: Cause;
}

export const nowApi = {
  vitalSigns: (): Promise<VitalSigns> => request('GET', '/v1/vital-signs'),
  worst: (limit: number): Promise<WorstPlace[]> => request('GET', `/v1/worst-junctions?limit=${limit}`),
  fullRoads: (limit: number): Promise<FullRoad[]> => request('GET', `/v1/full-roads?limit=${limit}`),
};
