/** What the API says of studies. */

import type { Verdict } from '../../desk/figures';

export interface StudyOptions {
  scenarios: { name: string; label: string; begin_s: number | null; end_s: number | null }[];
  controls: { name: string; summary: string; source: string }[];
  most_scenarios: number;
  most_controls: number;
  most_seeds: number;
  most_runs: number;
  claim_seeds: number;
}
export interface StudyOrder {
  scenarios: string[];
  controls: string[];
  seeds: number;
  title: string;
  case: string;
  baseline: string;
  begin_s: number | null;
  end_s: number | null;
  sensing: string;
  mesoscopic: boolean;
}
export interface StudyRun {
  scenario: string;
  control: string;
  seed: number;
  mean_delay_s: number | null;
  reason: string;
}
export interface StudyBrief {
  id: string;
  title: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  scenarios: string[];
  controls: string[];
  seeds: number;
  ordered_at: string;
  by: string;
  case: string;
  runs_total: number;
  runs_done: number;
  runs_failed: number;
  left_s: number | null;
  place: number;
  headlines: string[];
  error: string;
}
export interface StudyView {
  brief: StudyBrief;
  baseline: string;
  sensing: string;
  coverage: number;
  mesoscopic: boolean;
  began_at: string;
  ended_at: string;
  runs: StudyRun[];
  files: string[];
}
export interface Figure {
  control: string;
  metric: string;
  unit: string;
  better: 'less' | 'more';
  digits: number;
  mean: number | null;
  ci95: [number, number] | null;
  difference: number | null;
  difference_ci95: [number, number] | null;
  pairs: number;
  verdict: Verdict;
}
export interface ControlEvents {
  control: string;
  runs: number;
  collisions: number;
  emergency_stops: number;
  teleports: number;
  refused_requests: number;
  unsafe_states: number;
  deadlock: number;
}
export interface ScenarioResult {
  scenario: string;
  headline: string;
  baseline: string;
  controls: { name: string; summary: string; source: string }[];
  seeds: number[];
  claim: boolean;
  sensing: string;
  coverage: number;
  mesoscopic: boolean;
  begin_s: number;
  end_s: number;
  sumo_version: string;
  civicbrain_version: string;
  city_hash: string;
  figures: Figure[];
  events: ControlEvents[];
  queues: { control: string; time_s: number[]; mean: number[]; low: number[]; high: number[] }[];
  runs: StudyRun[];
  failures: string[];
}
export interface StudyResult {
  id: string;
  scenarios: ScenarioResult[];
}
