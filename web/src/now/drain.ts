/** What can be done about a full road, in words, and the request that it leads to. */

import { formatClock, formatWhole } from '../format';
import { getState } from '../state/store';
import type { Cause, Drain, FullRoad } from './api';
import { nameApproach } from './approach-name';
import { words } from './text';

/** Fewer than all but these are said to wait. */
const ALL = 0.95;
/** Less than this tells no two stages apart in what the brain expects. */
export const SAME_VEH_S = 5;

export const junctionName = (id: string): string => getState().geometry?.junctions.find((one) => one.id === id)?.name || id;

/** The street, or the junction that it leads to. */
export const roadName = (street: string, to: string): string => street || (to ? words.worst.roadTo(junctionName(to)) : '');

/** How a full road is called, in the list and on the map alike. */
export const nameFull = ({ cause }: FullRoad): string => roadName(cause.road_name, cause.about) || cause.road;

export function drainInWords(drain: Drain): string {
  const { drain: say } = words.worst;
  const { kind, stage, shut, held_by: who } = drain;
  const at = junctionName(drain.junction);
  const said =
    kind === 'empty' ? (drain.serves >= ALL ? say.empty(stage, at) : say.emptyPart(stage, at, formatWhole(drain.serves * 100), shut && junctionName(shut)))
    : kind === 'beyond' ? say.beyond(stage, at, roadName(drain.road_name, drain.junction))
    : kind === 'hold-back' ? say.holdBack(stage, at, drain.feeder ? nameApproach(drain.feeder, drain.feeder_name, getState().geometry) : '')
    : kind === 'held' ? say.held(at, who)
    : say.none;
  return [said, drain.feeds && say.feeds(junctionName(drain.feeds)), wishInWords(drain)].filter(Boolean).join(words.worst.and);
}

/** What the brain of that junction has in mind with the stage. */
function wishInWords({ stage_state: state, chosen, from_s: fromS, more_veh_s: moreVehS }: Drain): string {
  if (!state) return '';
  const at = fromS === null ? '' : formatClock(getState().city?.epoch ?? '', fromS);
  const same = state === 'costs-more' && (moreVehS ?? SAME_VEH_S) < SAME_VEH_S;
  return words.worst.drain.wish[same ? 'costs-same' : state]({ chosen, at, more: formatWhole(moreVehS ?? 0) });
}

/** Of the button: what is shown already would be kept. */
export function requestInWords({ stage, stage_state: state, junction }: Drain): string {
  return words.worst.drain[state === 'shown' ? 'keep' : 'request'](stage, junctionName(junction));
}

/** Proposed in the override's form; whoever asks may write another. */
export function reasonInWords(cause: Cause): string {
  const { drain } = cause;
  if (!drain) return '';
  const road = roadName(drain.road_name, drain.kind === 'hold-back' ? cause.about : drain.junction);
  return words.worst.drain[drain.kind === 'hold-back' ? 'reasonSpare' : 'reasonEmpty'](road || drain.road);
}
