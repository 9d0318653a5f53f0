/** Missions, places and the dispatcher's question, as the API sends and takes them. */

import type { Sentence } from '../alerts/words';
import type { Known } from './types';

export type MissionKind = 'ambulance' | 'fire' | 'police' | 'other';
export const MISSION_KINDS: readonly MissionKind[] = ['ambulance', 'fire', 'police', 'other'];

/** 1 may wait, 2 urgent, 3 a life depends on it. */
export type Urgency = 1 | 2 | 3;
export const URGENCIES: readonly Urgency[] = [3, 2, 1];

export interface MissionBrief {
  id: string;
  vehicle: string;
  kind: MissionKind;
  urgency: Urgency;
  from_edge: string;
  to_edge: string;
  created_s: number;
  /** expected: no position has come; lost: none lately. */
  state: 'expected' | 'tracked' | 'lost' | 'ended';
  /** arrived, cancelled, or in words; "" while it is under way */
  end: string;
  ended_s: Known;
  x_m: Known;
  y_m: Known;
  speed_mps: Known;
  heading_deg: Known;
  /** Platform second of that position. */
  fix_s: Known;
  length_m: number;
  progress_m: number;
  eta_s: Known;
  /** Nine of ten arrivals are no farther from eta_s. */
  eta_margin_s: Known;
  eta_without_s: Known;
  /** Against an estimate for the same way without priority; while it is under way, mean of the last half minute. */
  won_s: Known;
  /** Vehicle seconds stood at red in cross streets while junctions were held. */
  cross_wait_veh_s: number;
  replanned: number;
  next_junction: string;
}

export interface Passage {
  junction: string;
  distance_m: number;
  state: 'ahead' | 'open' | 'waits' | 'held-back' | 'passed' | 'recovers' | 'released';
  edge: string;
  stage: string;
  predicted_s: Known;
  first_predicted_s: Known;
  opened_s: Known;
  passed_s: Known;
  released_s: Known;
  cross_wait_veh_s: number;
  reason: string;
  /** The stage it needs shows now. */
  shown: boolean;
}

export interface Mission extends MissionBrief {
  edges: string[];
  passages: Passage[];
  refused: Record<string, number>;
  note: string;
  /** The note as a sentence. */
  said?: Sentence | null;
}

export interface MissionOrder {
  vehicle: string;
  from_edge: string;
  to_edge: string;
  kind: MissionKind;
  urgency: Urgency;
  simulate: boolean;
  reason: string;
}

export interface MissionMade {
  mission: Mission;
  /** What the vehicle's positions must carry; told once. */
  key: string;
}

export interface DispatchQuestion {
  address: string;
  first: 'vehicle' | 'hospital';
  /** Name -> section; empty: the city's own ambulance stations, or hospitals. */
  places: Record<string, string>;
}

export interface DispatchChoice {
  name: string;
  edge: string;
  time_s: number;
  /** Nine of ten take no more or less than that from time_s. */
  margin_s: number;
  length_m: number;
  chance_first: number;
  edges: string[];
}

export interface DispatchAnswer {
  time_s: number;
  choices: DispatchChoice[];
  unreachable: string[];
}

export interface CityPlace {
  id: string;
  kind: string;
  name: string;
  edge: string;
  x_m: number;
  y_m: number;
}
