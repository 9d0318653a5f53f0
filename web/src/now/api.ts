/** Vital signs and the worst junctions, as the API tells them. */

import { request } from '../api/client';
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

export type Remedy =
  | 'open-incident'
  | 'give-back'
  | 'look-at-camera'
  | 'look-downstream'
  | 'switch-brain-on'
  | 'follow-mission'
  | 'try-what-if'
  | 'show-stage'
  | 'look-at-junction';

export interface Cause {
  kind: CauseKind;
  remedy: Remedy;
  says: string;
  figures: Record<string, number>;
  about: string;
  /** Street of the approach it speaks of, "" for none. */
  name: string;
  stage: string;
}

export interface WorstPlace {
  junction: string;
  standing_veh: number;
  queue_veh: number;
  delay_s: Known;
  fullest: string;
  fullest_share: number;
  causes: Cause[];
}

export const nowApi = {
  vitalSigns: (): Promise<VitalSigns> => request('GET', '/v1/vital-signs'),
  worst: (limit: number): Promise<WorstPlace[]> => request('GET', `/v1/worst-junctions?limit=${limit}`),
};
