/** What the room asks the API, and what it answers. */

import { request } from '../../api/client';
import type { Known } from '../../api/types';
import type { HeldFor } from '../../now/api';

export interface Stretch {
  from_s: number;
  until_s: number;
  value: string;
}

export interface ApproachFigures {
  approach: string;
  name: string;
  groups: string[];
  storage_veh: number;
  seen: boolean;
  queue_veh: Known[];
  arrived_veh: Known[];
  served_veh: Known[];
  /** Queue at this moment; of the steps it is the largest. */
  now_veh?: Known;
}

export type OverrideAction = 'stage' | 'hold' | 'local';

export interface Override {
  junction: string;
  action: OverrideAction;
  stage: string;
  actor: string;
  reason: string;
  since_s: number;
  /** While the junction is being cleared, the end were the stage shown now. */
  expires_s: number;
  /** The controller follows; else `note` says what it waits for. */
  accepted: boolean;
  note: string;
  /** For how long the stage is to be shown, from shown_s on. */
  duration_s: number;
  /** When it stood in full for the first time; null: the junction is being cleared for it. */
  shown_s: Known;
}

export interface Holder {
  brain: string;
  priority: number;
  what: string;
  since_s: number;
  expires_s: number;
  mission: string;
  trip: string;
}

export type PlannedBy = 'brain' | 'plan' | 'local' | 'override' | 'mission' | 'bus';

/** A stage that is meant to be shown; a mission that is only expected has until_s = from_s. */
export interface Planned {
  from_s: number;
  until_s: number;
  stage: string;
  by: PlannedBy;
  who: string;
}

export interface Recent {
  from_s: number;
  until_s: number;
  step_s: number;
  groups: { group: string; lamps: Stretch[] }[];
  stages: Stretch[];
  modes: Stretch[];
  steps_s: number[];
  approaches: ApproachFigures[];
  holder: Holder | null;
  override: Override | null;
  planned: Planned[];
  held_for: HeldFor | null;
}

export interface PlanLane {
  id: string;
  edge: string;
  name: string;
  width_m: number;
  use: number;
  points: number[];
  role: 'approach' | 'exit' | 'view';
  seen: boolean;
}

export interface GroundPlan {
  id: string;
  x_m: number;
  y_m: number;
  view_m: number;
  lanes: PlanLane[];
  movements: { from_lane: number; to_lane: number; group: number; turn: string }[];
  crossings: { group: number; approach: string; length_m: number }[];
  kinds: string[];
}

export interface LedgerEntry {
  seq: number;
  kind: string;
  actor: string;
  time_s: Known;
  body: Record<string, unknown>;
}

export interface OverrideOrder {
  action: OverrideAction;
  stage: string;
  duration_s: number;
  reason: string;
}

const path = (id: string): string => `/v1/junctions/${encodeURIComponent(id)}`;

export const junctionApi = {
  recent: (id: string): Promise<Recent> => request('GET', `${path(id)}/recent`),
  groundPlan: (id: string): Promise<GroundPlan> => request('GET', `${path(id)}/ground-plan`),
  takeOver: (id: string, order: OverrideOrder): Promise<Override> => request('POST', `${path(id)}/override`, order),
  giveBack: (id: string, reason: string): Promise<unknown> =>
    request('DELETE', `${path(id)}/override?${new URLSearchParams({ reason }).toString()}`),
  /** What the record says of overrides of a junction, newest first: of a shift and more. */
  record: (id: string): Promise<LedgerEntry[]> => request('GET', `${path(id)}/record?limit=1000`),
};
