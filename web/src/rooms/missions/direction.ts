/** Which way a street section is driven: a click on a street means the street, and either direction may be the start. */

import type { DispatchAnswer, DispatchChoice, DispatchQuestion } from '../../api/mission-types';
import type { CityGeometry } from '../../api/types';
import { sideOf } from '../../now/approach-name';
import type { Streets } from '../../map/streets';

/** The section of the same street that is driven the other way; null for a one-way street. */
export function oppositeOf(edge: string, geometry: Pick<CityGeometry, 'edges'>, streets: Streets): string | null {
  const { edges } = geometry;
  const row = edges?.id.indexOf(edge) ?? -1;
  if (!edges || row < 0) return null;
  const [from, to] = [edges.from_node[row], edges.to_node[row]];
  const other = edges.id.findIndex((_, k) => edges.from_node[k] === to && edges.to_node[k] === from && streets.drivable[k]);
  return other < 0 ? null : edges.id[other];
}

/** Whither it is driven: eight directions from north on, clockwise; null where the network does not tell. */
export function headingOf(edge: string, geometry: CityGeometry): number | null {
  const from = sideOf(edge, geometry);
  return from === null ? null : (from + 4) % 8;
}

export interface Way {
  from: string;
  to: string;
  choice: DispatchChoice;
}

/** The soonest way between any of some starts and any of some ends; null where none is drivable. */
export async function soonestWay(
  starts: readonly string[],
  ends: readonly string[],
  ask: (question: DispatchQuestion) => Promise<DispatchAnswer>,
): Promise<Way | null> {
  const places = Object.fromEntries(starts.map((edge) => [edge, edge]));
  const answers = await Promise.all(ends.map(async (to) => ({ to, answer: await ask({ address: to, first: 'vehicle', places }) })));
  const ways = answers.flatMap(({ to, answer }) => answer.choices.map((choice) => ({ from: choice.edge, to, choice })));
  return ways.reduce<Way | null>((best, one) => (best === null || one.choice.time_s < best.choice.time_s ? one : best), null);
}
