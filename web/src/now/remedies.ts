/** Where a remedy is at hand: each leads to a place of the control room. */

import { findRoom } from '../rooms/registry';
import { JUNCTION } from '../state/actions';
import { go } from '../state/route';
import { setState } from '../state/store';
import { switchLayer } from '../map/layers';
import type { Cause, WorstPlace } from './api';
import { reasonInWords } from './drain';

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
