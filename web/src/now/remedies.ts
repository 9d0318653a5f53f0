/** Where a remedy is at hand: each leads to a place of the control room. */

import { findRoom } from '../rooms/registry';
import { complain, JUNCTION } from '../state/actions';
import { go, HOME } from '../state/route';
import { getState, setState, toast } from '../state/store';
import { switchLayer } from '../map/layers';
import { lineOf, streetsOf } from '../map/streets';
import { nowApi, type Cause, type WorstPlace } from './api';
import { reasonInWords, roadName } from './drain';
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

export function follow(place: WorstPlace, cause: Cause): void {
  setState({ panelOpen: true });
  switch (cause.remedy) {
    case 'open-incident': {
      const room = roomOf(ROOMS.cases);
      return room ? go(room, '', { incident: cause.about }) : go(JUNCTION, place.junction);
    }
    case 'try-what-if':
      return tryWhatIf(place.junction);
    case 'follow-mission': {
      const room = roomOf(ROOMS.missions);
      return room && cause.about ? go(room, cause.about) : go(JUNCTION, place.junction);
    }
    case 'look-at-camera':
      switchLayer('cameras', true);
      return go(JUNCTION, place.junction);
    case 'request-drain':
      return cause.drain ? go(JUNCTION, cause.drain.junction, { stage: cause.drain.stage, reason: reasonInWords(cause) }) : go(JUNCTION, place.junction);
    case 'look-downstream':
      return go(JUNCTION, cause.about || place.junction);
    case 'show-stage':
    case 'see-reasons':
      return go(JUNCTION, place.junction, cause.stage ? { stage: cause.stage } : {});
    default:
      return go(JUNCTION, place.junction);
  }
}

const MOST_PLACES = 50;

/** All full roads on the map, and the list that says why beside it. */
export async function showFullRoads(): Promise<void> {
  const { geometry, map } = getState();
  try {
    const places = await nowApi.worst(MOST_PLACES);
    const full = places.flatMap((place) => place.causes).filter((cause) => cause.kind === 'spill-back' && cause.road);
    const roads = full.map((cause) => cause.road);
    const names = full.map((cause) => roadName(cause.road_name, cause.about) || cause.road);
    go(HOME);
    setState({ panelOpen: true });
    if (!geometry || roads.length === 0) return toast('note', words.noFullRoad);
    toast('note', words.fullRoads([...new Set(names)].join(', ')));
    map?.show(lineOf(streetsOf(geometry), [...new Set(roads)]));
  } catch (error) {
    complain(error);
  }
}
