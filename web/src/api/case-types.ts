/** What the API sends and takes of cases, alarms, reports and shifts, as far as the control room reads it. Times are
 * ISO instants of the wall clock. */

import type { Sentence } from '../alerts/words';
import type { Known } from './types';

export const URGENCY_LEVELS = ['urgent', 'high', 'medium', 'low'] as const;
export type CaseUrgency = (typeof URGENCY_LEVELS)[number];

export const CASE_STATES = ['reception', 'triage', 'assignment', 'on_scene', 'clearing', 'closed'] as const;
export type CaseState = (typeof CASE_STATES)[number];

export const OUTCOMES = ['resolved', 'false_alarm', 'duplicate', 'no_action'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const INCIDENT_KINDS = [
  'crash',
  'stopped_vehicle',
  'closed_lane',
  'congestion',
  'blocked_junction',
  'wrong_way',
  'signal_fault',
  'sensor_fault',
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

export const REPORTERS = ['citizen', 'police', 'field_crew', 'department'] as const;
export type Reporter = (typeof REPORTERS)[number];

export interface CasePlace {
  x_m: number;
  y_m: number;
  edge: string;
  /** Indexes from the right; none: the whole section. */
  lanes: number[];
  junction: string;
  sensor: string;
}

export interface CaseSummary {
  id: string;
  kind: IncidentKind;
  title: string;
  state: CaseState;
  urgency: CaseUrgency;
  place: CasePlace;
  opened: string;
  state_since: string;
  changed: string;
  version: number;
  reports: number;
  incidents: number;
  assigned_to: string;
  holder: string;
  outcome: Outcome | null;
  closed: string | null;
  merged_into: string;
  late: boolean;
  escalation: number;
  deadline: string | null;
  confidence: number;
  /** Share; null while no sensor has seen it. */
  capacity_left: Known;
  onset: string | null;
  detected: string | null;
  still_there: boolean;
}

export interface CaseStep {
  id: string;
  title: string;
  role: string;
  during: CaseState;
  state: 'open' | 'done' | 'skipped';
  due: string | null;
  by: string;
  at: string | null;
  required: boolean;
}

export interface CaseEvent {
  number: number;
  at: string;
  actor: string;
  what: string;
  detail: Record<string, unknown>;
}

export interface WhatIfLink {
  id: string;
  title: string;
  by: string;
  at: string;
}

export interface CaseFile {
  case: CaseSummary;
  procedure: string;
  steps: CaseStep[];
  events: CaseEvent[];
  moves: CaseState[];
  proposals: string[];
  merged: string[];
  what_ifs: WhatIfLink[];
  delay_veh_h: number;
  /** Seconds of the city's clock: an event of the street. */
  clears_s: number | null;
}

export interface CasePage {
  cases: CaseSummary[];
  count: number;
}

export interface Statement {
  id: string;
  reporter: Reporter;
  kind: IncidentKind;
  received: string;
  source: string;
  text: string;
  deleted: boolean;
}

export interface Evidence {
  case: string;
  incidents: {
    id: string;
    kind: IncidentKind;
    confidence: number;
    open: boolean;
    evidence: string[];
    said: Sentence[];
    sensors: string[];
    kinds: Partial<Record<IncidentKind, number>>;
    /** Queues that stand because of it, and have no incident of their own. */
    effects: { place: CasePlace; since_s: number }[];
  }[];
  statements: Statement[];
  kept_until: string | null;
}

export type AlarmState = 'unacknowledged' | 'acknowledged' | 'returned' | 'shelved' | 'normal';

export interface AlarmView {
  id: number;
  source: string;
  key: string;
  group: string;
  urgency: CaseUrgency;
  state: AlarmState;
  title: string;
  detail: string;
  junction: string;
  raised: string;
  changed: string;
  count: number;
  cleared: string | null;
  acknowledged_by: string;
  acknowledged: string | null;
  shelved_until: string | null;
  shelved_by: string;
  shelved_why: string;
  case: string;
  said: Sentence[];
}

export interface AlarmGroup {
  /** "rest": the least urgent matters, together. */
  id: string;
  matter: string;
  source: string;
  urgency: CaseUrgency;
  alarms: number;
  unacknowledged: number;
  active: number;
  junctions: number;
  first: string;
  newest: string;
  /** At which all of them are, "" for none or several. */
  junction: string;
  said: Sentence[];
}

export interface AlarmList {
  groups: AlarmGroup[];
  alarms: AlarmView[];
  standing: number;
  unacknowledged: number;
  shelved: number;
  flood: boolean;
  rate: number;
  lost: number;
}

export interface AlarmTime {
  urgency: CaseUrgency;
  raised: string;
  cleared: string | null;
  acknowledged: string | null;
}

export interface AlarmFile {
  alarm: AlarmView;
  times: AlarmTime[];
}

export interface CasesHealth {
  answering: boolean;
  open_cases: number;
  late_cases: number;
  standing_alarms: number;
  unacknowledged: number;
  /** Open cases, and alarms that nobody has noted and that are about none of them. */
  to_do: number;
  waiting: number;
  dead: number;
  last_error: string;
  /** Another figure: lists are worth reading again. */
  changes: number;
  /** The server's clock. */
  at: string | null;
}

export interface Notice {
  id: number;
  case: string;
  recipient: string;
  why: string;
  state: 'waiting' | 'sending' | 'delivered' | 'dead' | 'unaddressed';
  made: string;
  attempts: number;
  due: string | null;
  delivered: string | null;
  error: string;
}

export interface ReportOrder {
  kind: IncidentKind;
  place: { x_m: number; y_m: number; edge: string; lanes: number[]; junction: string };
  reporter: Reporter;
  source: string;
  text: string;
  ago_s: number | null;
  key: string;
}

export interface ReportMade {
  case: string;
  new_case: boolean;
}

export interface ShiftEvent {
  at: string;
  actor: string;
  what: string;
  case: string;
  detail: Record<string, unknown>;
  /** On the city's clock; null: not known. */
  time_s: number | null;
}

export interface Handover {
  since: string;
  until: string;
  open_cases: CaseSummary[];
  groups: AlarmGroup[];
  shelved: AlarmView[];
  lost_notices: { id: number; case: string; recipient: string; error: string }[];
  changed: ShiftEvent[];
  changes: number;
  closed_cases: number;
  live: boolean;
  overrides: { what: string; which: string; detail: string }[];
  silent_sources: string[];
  /** The shift on the city's clock; null: not known. */
  since_s: number | null;
  until_s: number | null;
  /** Under way. */
  missions?: { id: string; vehicle: string; to_edge: string; state: string; eta_s: number | null }[];
}

export interface Signature {
  id: number;
  since: string;
  until: string;
  signed_by: string;
  given_to: string;
  sha256: string;
  remark: string;
  taken_by: string;
  taken: string | null;
}

export interface SignedNote {
  signature: Signature;
  /** As plain text, in English. */
  text: string;
  /** A `Handover` as JSON; '' where a shift was handed over before that was kept. */
  record: string;
  /** Text and record are as they were signed. */
  intact: boolean;
}

export interface Times {
  count: number;
  median_s: number | null;
  p90_s: number | null;
}

export interface KindQuality {
  kind: IncidentKind;
  opened: number;
  closed: number;
  false_alarms: number;
  duplicates: number;
  reported_by_people: number;
  detection: Times;
  to_triage: Times;
  to_assignment: Times;
  to_scene: Times;
  to_closed: Times;
}

export interface Quality {
  week: string;
  start: string;
  end: string;
  kinds: KindQuality[];
  deadlines_missed: number;
  escalations: number;
  alarms: number;
  alarms_an_hour: number;
  flood_minutes: number;
  acknowledge: Times;
  notices: number;
  notices_delivered: number;
  notices_dead: number;
  delivery: Times;
  outages: { what: string; start: string; end: string | null; duration_s: number }[];
  outage_s: number;
  days: { day: string; alarms: number; opened: number; closed: number }[];
}
