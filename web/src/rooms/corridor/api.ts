/** Corridors, as the API tells them. Times are seconds of the city's clock. */

import { request } from '../../api/client';
import type { Known } from '../../api/types';

export interface Choice {
  name: string;
  from_junction: string;
  to_junction: string;
  junctions: string[];
  length_m: number;
}

export interface Stretch {
  start_s: number;
  end_s: number;
  state: 'green' | 'yellow' | 'red';
}

export interface Stop {
  junction: string;
  name: string;
  distance_m: number;
  axis_m: number;
  /** From the first stop line at the progression speed. */
  travel_s: number;
  green_share: Known;
  cycle_s: Known;
  signals: Stretch[];
  planned: Stretch[];
}

export interface Track {
  /** As in the map frame: 2 bus, 3 tram, 7 emergency. */
  kind: number;
  time_s: number[];
  axis_m: number[];
}

export interface CorridorWay {
  length_m: number;
  progression_mps: number;
  stops: Stop[];
  bands: { start_s: number; end_s: number }[];
  bandwidth_s: Known;
  cycle_s: Known;
  efficiency: Known;
  attainability: Known;
  tracks: Track[];
}

export interface Diagram {
  start_s: number;
  end_s: number;
  known_s: number;
  forward: CorridorWay;
  back: CorridorWay | null;
}

export const fetchChoices = (): Promise<Choice[]> => request('GET', '/v1/corridors');

export function fetchDiagram(from: string, to: string, seconds: number, end: string | null, speedMps: number | null): Promise<Diagram> {
  const query = new URLSearchParams({ from_junction: from, to_junction: to, seconds: String(seconds) });
  if (end) query.set('end', end);
  if (speedMps !== null) query.set('speed_mps', speedMps.toFixed(2));
  return request('GET', `/v1/corridors/diagram?${query}`);
}
