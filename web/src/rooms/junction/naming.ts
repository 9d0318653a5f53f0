/** What a stage does, told by whence the vehicles come that get green: people know directions, not numbers. */

import { useMemo } from 'preact/hooks';
import type { JunctionDetail, Stage } from '../../api/types';
import { compassOf } from '../../map/compass';
import { text } from '../../text';
import type { GroundPlan } from './api';
import { junctionStore } from './store';
import { words } from './text';

/** Approaches that get green for the same turns. turn: '' where they may go straight on, or wherever they can go; else
 * l, r, or lr. U-turns go with left turns. */
export interface GreenFrom {
  turn: string;
  /** Eight directions from north on, clockwise, each once. */
  from: number[];
}

const isGreen = (lamp: string | undefined): boolean => lamp === 'G' || lamp === 'g';

/** Whence green is given by lamps (one a group). Whole approaches first, then those of single turns. */
export function greenFrom(plan: Pick<GroundPlan, 'lanes' | 'movements'>, lamps: string): GreenFrom[] {
  const arms = new Map<string, { side: number; all: Set<string>; green: Set<string> }>();
  for (const { from_lane, group, turn } of plan.movements) {
    const lane = plan.lanes[from_lane];
    if (group < 0 || !lane) continue;
    const arm = arms.get(lane.edge) ?? { side: compassOf(lane.points), all: new Set(), green: new Set() };
    arms.set(lane.edge, arm);
    if (turn === 't') continue; // goes with the left turn
    arm.all.add(turn);
    if (isGreen(lamps[group])) arm.green.add(turn);
  }
  const found = new Map<string, Set<number>>();
  for (const { side, all, green } of arms.values()) {
    if (!green.size) continue;
    const turn = green.has('s') || green.size === all.size ? '' : [...green].sort().join('');
    found.set(turn, (found.get(turn) ?? new Set()).add(side));
  }
  return [...found]
    .map(([turn, sides]) => ({ turn, from: [...sides].sort((a, b) => a - b) }))
    .sort((a, b) => Number(a.turn !== '') - Number(b.turn !== '') || a.turn.localeCompare(b.turn));
}

/** In words, "" where the plan of the junction does not tell: "from north and south". */
export function sayGreen(plan: Pick<GroundPlan, 'lanes' | 'movements'> | null, stage: Stage | undefined, kinds: readonly string[] = []): string {
  if (!plan || !stage) return '';
  const parts = greenFrom(plan, stage.lamps);
  if (parts.length) return words.stages.all(parts.map(({ turn, from }) => words.stages.from(from.map((side) => words.stages.sides[side]), turn)));
  return kinds.some((kind, k) => kind === 'pedestrian' && isGreen(stage.lamps[k])) ? words.stages.onFoot : '';
}

export type StageName = (id: string) => string;

/** How a stage is named wherever the room speaks of it: "s3 (from north and south)". */
export function useStageName(detail: JunctionDetail | null): StageName {
  const plan = junctionStore.use((s) => s.plan);
  return useMemo(() => {
    const named = new Map(
      (detail?.stages ?? []).map((stage) => {
        const green = sayGreen(plan, stage, detail?.groups.map((group) => group.kind));
        return [stage.id, green ? words.stages.named(stage.id, green) : text.junction.stageOf(stage.id)];
      }),
    );
    return (id) => named.get(id) ?? text.junction.stageOf(id);
  }, [plan, detail?.id, detail?.stages.length]);
}

/** Whence the vehicles of a group come, "" where the plan does not tell. */
export function groupFrom(plan: GroundPlan | null, group: number): string {
  const movement = plan?.movements.find((one) => one.group === group);
  const lane = movement && plan?.lanes[movement.from_lane];
  return lane ? words.from[compassOf(lane.points)] : '';
}
