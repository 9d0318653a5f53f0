/** Where a remedy is at hand: each leads to a place of the control room. */

import { findRoom } from '../rooms/registry';
import { complain, JUNCTION } from '../state/actions';
import { go, HOME } from '../state/route';
import { getState, setState, toast } from '../state/store';
import { withMap } from '../state/with-map';
import { switchLayer } from '../map/layers';
import { lineOf, streetsOf } from '../map/streets';
import { nowApi, type Cause } from './api';
import { nameFull, reasonInWords } from './drain';
import { words } from './text';

/** Rooms of other parts, by the names they may have; where one is missing the junction itself is shown. */
const ROOMS = { cases: ['cases', 'alarms'], whatIf: ['what-if', 'what-ifs', 'whatif', 'what_if'], missions: ['missions'] } as const;

const roomOf = (names: readonly string[]): string | undefined => names.find((slug) => findRoom(slug) !== undefined);

/** The form of what-ifs, with this junction in it. */
export function tryWhatIf(junction: string): void {
  const room = roomOf(ROOMS.whatIf);
  if (room) go(room, '', { junction });
  else go(JUNCTION, junction);
}

/** junction: of which the cause speaks. */
export function follow(junction: string, cause: Cause): void {
  setState({ panelOpen: true });
  switch (cause.remedy) {
    case 'open-incident': {
      const room = roomOf(ROOMS.cases);
      return room ? go(room, '', { incident: cause.about }) : go(JUNCTION, junction);
    }
    case 'try-what-if':
      return tryWhatIf(junction);
    case 'follow-mission': {
      const room = roomOf(ROOMS.missions);
      return room && cause.about ? go(room, cause.about) : go(JUNCTION, junction);
    }
    case 'look-at-camera':
      switchLayer('cameras', true);
      return go(JUNCTION, junction);
    case 'request-drain':
      return cause.drain ? go(JUNCTION, cause.drain.junction, { stage: cause.drain.stage, reason: reasonInWords(cause), road: cause.road }) : go(JUNCTION, junction);
    case 'look-downstream':
      return go(JUNCTION, cause.about || junction);
    case 'show-stage':
    case 'see-reasons':
      return go(JUNCTION, junction, cause.stage ? { stage: cause.stage } : {});
    default:
      return go(JUNCTION, junction);
  }
}

const MOST_FULL = 50;

/** All full roads on the map, and the list that says why beside it. */
export async function showFullRoads(): Promise<void> {
  const { geometry } = getState();
  try {
    const full = await nowApi.fullRoads(MOST_FULL);
    const roads = full.map(({ cause }) => cause.road);
    const names = full.map(nameFull);
    go(HOME);
    setState({ panelOpen: true });
    if (!geometry || roads.length === 0) return toast('note', words.noFullRoad);
    toast('note', words.fullRoads([...new Set(names)].join(', ')));
    const line = lineOf(streetsOf(geometry), [...new Set(roads)]);
    withMap((map) => map.show(line));
  } catch (error) {
    complain(error);
  }
}
