/** What the API says of what-ifs and proposals. */

export interface Closure {
  edge: string;
  lanes: number[];
}
export interface PlanSetting {
  junction: string;
  durations_s: number[];
  offset_s: number;
}
export interface EventDemand {
  from_edge: string;
  to_edge: string;
  veh_per_h: number;
}
export interface Change {
  closures: Closure[];
  control: string;
  plans: PlanSetting[];
  demand_factor: number;
  detours: { edge: string; share: number }[];
  events: EventDemand[];
}
export interface Question {
  change: Change;
  against: Change;
  minutes: number;
  seeds: number;
  model: string;
  moment: string;
}
export interface WhatIfOrder {
  change: Change;
  minutes: number;
  seeds: number;
  model: string;
  moment: string;
  title: string;
  case: string;
}
/** low, high: 95 %; null where there is one pair of runs only. */
export interface Band {
  mean: number;
  low: number | null;
  high: number | null;
}
export interface Indicator {
  name: string;
  unit: string;
  better: 'less' | 'more';
  against: Band;
  change: Band;
  difference: Band;
  /** How many pairs of runs differ the way their mean does; null: not counted. */
  agreeing?: number | null;
}
export interface Course {
  name: string;
  unit: string;
  better: 'less' | 'more';
  time_s: number[];
  against: Band[];
  change: Band[];
  difference: Band[];
}
export interface PlaceDifference {
  id: string;
  against_veh_h: number;
  change_veh_h: number;
  difference: Band;
}
export interface Answer {
  city: string;
  control: string;
  model: string;
  from_s: number;
  to_s: number;
  vehicles: number;
  pairs: number;
  indicators: Indicator[];
  courses: Course[];
  junctions: PlaceDifference[];
  edges: PlaceDifference[];
  diverted: number;
  notes: string[];
  /** When the scenario's demand ends, where that lies before to_s. */
  demand_end_s?: number | null;
}
export type State = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
export interface UnderWay {
  state: State;
  progress: number;
  /** Since it runs, and about how long yet; null: it does not run, or nothing of it is done yet. */
  elapsed_s?: number | null;
  left_s?: number | null;
}
export interface WhatIfBrief extends UnderWay {
  id: string;
  asked_at: string;
  question: Question;
  title: string;
  case: string;
  by: string;
  error: string;
  from_s: number | null;
  mean_delay: Band | null;
  time_spent: Band | null;
}
export interface WhatIf extends Omit<WhatIfBrief, 'from_s' | 'mean_delay' | 'time_spent'> {
  answer: Answer | null;
}
export interface Moment {
  name: string;
  run: number;
  time_s: number;
}
export interface Proposal {
  kind: 'detour' | 'gating';
  change: Change;
  time_spent_veh_h: Band;
  mean_delay_s: Band;
  advisable: boolean;
  leave_edge: string;
  back_edge: string;
  way_edges: string[];
  extra_s: number;
  share: number;
  held_junctions: string[];
}
export interface Decision {
  index: number;
  accepted: boolean;
  reason: string;
  by: string;
  at: string;
}
export interface ProposalsBrief extends UnderWay {
  id: string;
  asked_at: string;
  closure: Closure;
  incident: string;
  advisable: number;
  decided: number;
  error: string;
}
export interface ProposalsView extends Omit<ProposalsBrief, 'advisable' | 'decided'> {
  found: { proposals: Proposal[]; users: number; pairs: number; model: string; minutes: number } | null;
  decisions: Decision[];
}
