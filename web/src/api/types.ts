/** What the API sends, as far as the control room reads it. */

import type { Sentence } from '../alerts/words';
import type { LonLatAffine } from '../map/projection';
import type { CityPlace, MissionBrief } from './mission-types';

export interface CityInfo {
  name: string;
  source: string;
  junction_count: number;
  lane_count: number;
  begin_s: number;
  end_s: number;
  epoch: string;
  /** IANA name of the city's time zone, "" where none is known. */
  zone: string;
  tile_url: string;
  civicbrain_version: string;
  bounds_m: [number, number, number, number];
  lonlat_affine: LonLatAffine;
  /** The page was built from other sources than the server's. */
  page_stale?: boolean;
}

export interface CityGeometry {
  bounds_m: [number, number, number, number];
  lanes: { edge: number[]; width_m: number[]; use: number[]; points: number[][] };
  /** Nodes at both ends of each edge: junction surfaces are implied by them. */
  /** name: of the street, "" where there is none; [] where no section has one. */
  edges?: { id: string[]; from_node: number[]; to_node: number[]; name?: string[] };
  junctions: { id: string; name: string; x_m: number; y_m: number }[];
  heads: { group: number; junction: number; x_m: number; y_m: number; angle_deg: number; kind: string }[];
  places: CityPlace[];
}

/** null: not known. */
export type Known = number | null;

export interface Indicators {
  vehicles: number;
  mean_delay_s: Known;
  throughput_veh_per_h: Known;
  stopped: number;
  fixed_vehicles: Known;
  fixed_mean_delay_s: Known;
  fixed_throughput_veh_per_h: Known;
}

export interface BrainHealth {
  name: string;
  /** running, off, backing-off or starting */
  state: string;
  cadence_s: Known;
  budget_s: Known;
  last_run_s: Known;
  last_ms: Known;
  p99_ms: Known;
  runs: number;
  failures: number;
  last_error: string;
  retry_in_s: Known;
}

export interface TwinStatus {
  time_s: number;
  begin_s: number;
  end_s: number;
  run: number;
  paused: boolean;
  /** Simulated seconds a wall second that were asked for; 0 = as fast as it goes. */
  speed: number;
  measured_speed: Known;
  program: string;
  running: number;
  local_junctions: number;
  refused_requests: number;
  unsafe_states: number;
}

export interface CityState {
  time_s: number;
  sequence: number;
  /** Wall seconds since the brain process sent it. */
  age_s: number;
  stale: boolean;
  control: string;
  brain_on: boolean;
  indicators: Indicators;
  brains: BrainHealth[];
  staleness_s: Record<string, Known>;
  junction_delay_s: Known[];
  /** Now. */
  junction_queue_veh: Known[];
  /** Mean of the last two minutes: what the lists show. */
  junction_standing_veh: Known[];
  junction_mode: number[];
  twin: TwinStatus | null;
  alerts_open: number;
  ledger_entries: number;
  baseline_progress: Known;
  /** Under way. */
  missions: MissionBrief[];
  /** Of operators, in force. */
  overrides: { junction: string; action: string; stage: string; actor: string; expires_s: number }[];
}

export interface Alert {
  key: string;
  severity: 'info' | 'warning' | 'critical' | string;
  title: string;
  detail: string;
  time_s: number;
  brain: string;
  junction: string;
  /** Title and detail as sentences, where they are not free text. */
  said?: readonly Sentence[];
  /** Since when nobody says it any more; null: it is active. */
  ended_s?: Known;
}

export interface ControlInfo {
  name: string;
  summary: string;
  source: string;
  program: string;
  /** The brain that is asked under this control, "" for none. */
  brain: string;
}

export interface Controls {
  current: string;
  available: ControlInfo[];
}

export interface Health {
  status: string;
  /** "operator on this machine" (demo login) or "token" */
  access: string;
}

export interface SignalGroup {
  id: string;
  kind: string;
  yellow_s: number;
  min_green_s: number;
  approach: string;
}

export interface Stage {
  id: string;
  lamps: string;
  derived: boolean;
}

export interface LocalPlan {
  id: string;
  steps: { stage: string; duration_s: number }[];
  offset_s: number;
  cycle_s: number;
}

export interface JunctionDetail {
  id: string;
  name: string;
  x_m: number;
  y_m: number;
  delay_s: Known;
  queue_veh: Known;
  mode: string | null;
  stage: string | null;
  capability: string;
  warnings: string[];
  groups: SignalGroup[];
  stages: Stage[];
  lamps: string;
  local_plan: LocalPlan;
  explanation: Record<string, unknown>;
  /** When that was said. */
  explained_s: Known;
}

/** Who is logged in; role null: nobody. */
export interface Session {
  name: string;
  role: 'viewer' | 'operator' | 'engineer' | 'administrator' | null;
  /** As the record of changes names them. */
  actor: string;
  /** How they came in. */
  way: '' | 'demo' | 'token' | 'password' | 'provider';
  demo: boolean;
  /** When they must log in again whatever they do; null: never. */
  expires_at: string | null;
  /** When they must if they do nothing until then. */
  idle_ends_at: string | null;
  /** How somebody can log in here. */
  ways: ('password' | 'token' | 'provider')[];
  /** What the identity provider is called. */
  provider: string;
}

export interface LogInOrder {
  name?: string;
  password?: string;
  token?: string;
}
