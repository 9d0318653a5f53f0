/** Texts of the city now, in English. */

import type { CauseKind, Remedy, SignId, StageState } from '../api';

const signs: Record<SignId, string> = {
  delay: 'Delay per trip',
  throughput: 'Throughput',
  vehicles: 'Vehicles',
  'spill-backs': 'Spill-backs',
  incidents: 'Incidents',
  'silent-cameras': 'Silent cameras',
  'local-controllers': 'In local mode',
  brains: 'Brains running',
};

const hints: Record<SignId, string> = {
  delay: 'What standing, braking and setting off late have cost each vehicle on its whole trip: mean of all due since the start. At each single junction it is less: see the standing time there',
  throughput: 'Vehicles that arrived in the last five minutes, an hour',
  vehicles: 'Vehicles in the city',
  'spill-backs': 'Roads between two signals that were full in a quarter of the last two minutes: standing vehicles take nine tenths of the road, or the brain holds vehicles back because of it',
  incidents: 'Open incidents',
  'silent-cameras': 'Junctions of which a camera has said nothing for 10 s',
  'local-controllers': 'Junctions that run their local plan',
  brains: 'Brains that run, of those that are loaded',
};

const remedies: Record<Remedy, string> = {
  'open-incident': 'Open the incident',
  'give-back': 'Look at the override',
  'look-at-camera': 'Look at the cameras',
  'look-downstream': 'Look at the next junction',
  'request-drain': 'Request a stage there',
  'switch-brain-on': 'Look at the junction',
  'follow-mission': 'Follow the mission',
  'try-what-if': 'Try it in a what-if',
  'show-stage': 'Request a stage',
  'see-reasons': 'See the brain’s reasons',
  'look-at-junction': 'Look at the junction',
};

type Figures = Record<string, string>;

const causes: Record<CauseKind, (figures: Figures, about: string) => string> = {
  incident: (f) => (f['distance_m'] === '0' ? 'An incident at the junction' : `An incident, ${f['distance_m'] ?? ''} m away`),
  override: (f, about) => `${about} holds it for another ${f['left_s'] ?? '–'} s`,
  'camera-silent': (f, about) => (f['silent_s'] ? `The camera on ${about} has been silent for ${f['silent_s']} s` : `No camera sees ${about}`),
  'spill-back': (f, road) => `The road ahead of it${road ? `, ${road},` : ''} has been full for ${f['full_share'] ?? '–'} % of the last two minutes: green here does not help`,
  'local-mode': (_f, about) =>
    `It runs its local plan: ${{ off: 'the brain is switched off', starting: 'the brain is starting', 'backing-off': 'the brain has failed and is started again' }[about] ?? 'it does not follow the brain'}`,
  priority: (_f, about) => (about ? `Held for ${about}` : 'Held for a bus'),
  demand: (f, about) => `Demand beyond capacity on ${about}: its queue has grown from ${f['before_veh'] ?? '–'} to ${f['after_veh'] ?? '–'} vehicles and no longer clears`,
  'full-approach': (f, about) => `The queue on ${about} keeps filling the view of its camera (${f['queue_veh'] ?? '–'} vehicles in the mean)`,
  uneven: (f, about) => `${f['queue_veh'] ?? '–'} vehicles wait on ${about} while the others are nearly empty`,
  unknown: (f, about) => (about ? `Nothing is known to be wrong; most wait on ${about} (${f['queue_veh'] ?? '–'} in the mean)` : 'The queue has cleared for now'),
};

interface OfStage {
  stage: string;
  chosen: string;
  /** When, "" not known. */
  at: string;
  /** Vehicle-seconds. */
  more: string;
}

/** What the brain has in mind with the stage that would serve those who wait. */
const brain: Record<Exclude<StageState, ''> | 'costs-same', (of: OfStage) => string> = {
  shown: ({ stage }) => `stage ${stage}, which serves them, is shown now`,
  next: ({ stage, at }) => `stage ${stage}, which serves them, comes next${at ? `, at ${at}` : ''}`,
  'costs-more': ({ stage, chosen, more }) => `the brain keeps them waiting: with stage ${stage} it expects ${more} vehicle-seconds more than with ${chosen}`,
  'costs-same': ({ stage, chosen }) => `the brain keeps them waiting: it expects about the same delay with stage ${stage} as with ${chosen}`,
  other: ({ stage, chosen }) => `the brain has chosen stage ${chosen} for now; ${stage} serves them`,
  'left-out': () => 'the brain puts off every stage that serves them for now: others promise less delay',
};

/** What the brain of the junction has in mind with the stage that would empty a full road. */
const drainWishes: Record<Exclude<StageState, ''> | 'costs-same', (of: { chosen: string; at: string; more: string }) => string> = {
  shown: () => 'it is shown there now',
  next: ({ at }) => `it comes next there${at ? `, at ${at}` : ''}`,
  'costs-more': ({ chosen, more }) => `the brain there expects ${more} vehicle-seconds more of it than of ${chosen}`,
  'costs-same': ({ chosen }) => `the brain there expects about the same delay of it as of ${chosen}`,
  other: ({ chosen }) => `the brain there has chosen stage ${chosen} for now`,
  'left-out': () => 'the brain there puts it off for now',
};

export const en = {
  ways: { incidents: 'Open alarms and cases', 'spill-backs': 'Show the full roads on the map' } as Partial<Record<SignId, string>>,
  noFullRoad: 'No road is full any more.',
  fullRoads: (roads: string) => `Full: ${roads}.`,
  strip: 'The city’s vital signs, beside the fixed plan and the usual day',
  signs,
  hints,
  of: (total: string) => `of ${total}`,
  ofLast: (duration: string) => `last ${duration}`,
  windowFills: 'Its window of five minutes is not full yet: an hour’s figure, reckoned from what there is of it',
  fixed: (value: string) => `Fixed plan ${value}`,
  usual: (value: string) => `Usual day ${value}`,
  usualHint: (days: number) => `Median of this quarter of an hour on ${days === 1 ? 'one earlier day' : `${days} earlier days`} of this weekday`,
  fixedNoMeaning: {
    'spill-backs': 'Live spill-backs count what the brain says beside what cameras see, and no brain speaks under the fixed plan: nothing to compare with.',
    incidents: 'Incidents happen to the city, whatever its plan, and people report none in the comparison run: nothing to compare with.',
    'silent-cameras': 'The comparison runs in the twin, where cameras do not fail: nothing to compare with.',
    'local-controllers': 'Under the fixed plan every junction runs its local plan: nothing to compare with.',
    brains: 'Under the fixed plan no brain runs: nothing to compare with.',
  } as Partial<Record<SignId, string>>,
  usualUnknown: { asking: 'Usual day: being worked out', 'no-history': 'Usual day: no history', 'no-days': 'Usual day: no earlier day', 'not-measured': 'Usual day: not kept' } as Record<string, string>,
  state: { ok: 'as it should be', watch: 'worth a look', bad: 'needs attention', unknown: 'unknown' } as Record<string, string>,
  watchedAgainst: 'More than a tenth worse than on the usual day, or where none is known, than under the fixed plan.',
  watched: { incidents: 'One is open.', 'spill-backs': 'There should be none.', 'silent-cameras': 'There should be none.', 'local-controllers': 'All should follow the brain.', brains: 'A brain is off or has failed.' } as Partial<Record<SignId, string>>,
  worst: {
    title: 'Worst now',
    caption: 'longest queues, mean of 2 min',
    held: (clock: string) => `as of ${clock}, kept while you point here`,
    none: 'Nowhere has a queue lasted over the past two minutes.',
    waiting: 'Looking…',
    lost: 'The list cannot be fetched.',
    queue: (vehicles: string) => `queue ${vehicles} veh`,
    /** Sides of the compass: eight from north on, clockwise. */
    sides: ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'],
    approach: (side: string, street: string) => (street ? `${street} from the ${side}` : `the approach from the ${side}`),
    further: (count: number) => `${count} more ${count === 1 ? 'reason' : 'reasons'}`,
    cause: causes,
    calmAll: (full: boolean) =>
      `At these junctions nothing is known to be wrong: no incident, override, ${full ? '' : 'full road, '}silent camera or queue that no longer clears. These junctions have the longest queues, no more.`,
    calmSome: (full: boolean) => `Where only a queue is named, nothing is known to be wrong: no incident, override${full ? '' : ', full road'} or silent camera.`,
    moreFull: (count: number) => `${count} more full ${count === 1 ? 'road' : 'roads'} on the map`,
    /** Of a road that no listed place names. */
    fullRoad: (road: string, percent: string) => `${road} has been full for ${percent} % of the last two minutes`,
    mostWait: (f: Figures, about: string) => (about ? `Most wait on ${about} (${f['queue_veh'] ?? '–'} in the mean)` : 'The queue has cleared for now'),
    whatIfHere: 'Try a what-if here',
    remedy: remedies,
    requestStage: (stage: string) => `Request stage ${stage}`,
    /** Between a cause and what the brain has in mind. */
    and: '; ',
    brain,
    /** Who is held back by a full road. */
    blocked: (approach: string, road: string, f: Figures) => `The road ahead of ${approach}${road ? `, ${road},` : ''} has been full for ${f['full_share'] ?? '–'} % of the last two minutes: ${f['queue_veh'] ?? '–'} wait before it, and green here does not help`,
    roadTo: (junction: string) => `the road to ${junction}`,
    lookAhead: (junction: string) => `Look at ${junction}, where it must empty`,
    mutual: (junction: string) => `; it and ${junction} hold each other up`,
    /** What can be done about a full road. */
    drain: {
      empty: (stage: string, at: string) => `Stage ${stage} at ${at} empties it`,
      emptyPart: (stage: string, at: string, share: string, shut: string) => `Stage ${stage} at ${at} lets ${share} % of them out; the others have to wait: ${shut ? `the road on to ${shut}` : 'where they go'} is full, too`,
      beyond: (stage: string, at: string, road: string) => `Where they want to go is full, too; stage ${stage} at ${at} empties ${road}`,
      holdBack: (stage: string, at: string, feeder: string) => `No stage ahead has room for them; stage ${stage} at ${at} sends nobody more in${feeder ? ` and holds ${feeder} back` : ''}`,
      feeds: (at: string) => `it also lets vehicles into the full road to ${at}`,
      held: (at: string, who: string) => `${at}, where it must empty, is held by ${who}`,
      none: 'No stage is known that would empty it: let fewer in upstream',
      request: (stage: string, at: string) => `Request stage ${stage} at ${at}`,
      keep: (stage: string, at: string) => `Keep stage ${stage} at ${at}`,
      reasonEmpty: (road: string) => `Empties the full road: ${road}`,
      reasonSpare: (road: string) => `Sends nobody more into the full road: ${road}`,
      wish: drainWishes,
    },
    drains: 'The full road empties there. Until it does, letting fewer in upstream keeps this junction free; more green here does not.',
    rank: (rank: number, name: string) => `${rank}. ${name}`,
  },
  heldFor: {
    bus: (line: string) => (line ? `bus line ${line}` : 'a bus'),
    mission: (vehicle: string, to: string) => (to ? `${vehicle} to ${to}` : vehicle),
    held: (who: string) => `Held for ${who}`,
    until: (who: string, clock: string) => `Held for ${who} until about ${clock}`,
  },
  layers: {
    worst: 'Worst places',
    worstKey: 'rank in the list',
    queues: 'Queues',
    queueShort: 'some of the lane',
    queueFull: 'fills the lane',
    cameras: 'Cameras',
    seen: 'in view',
    silent: 'silent',
    unseen: 'approach without a camera',
    buses: 'Buses',
    busOnTime: 'on time',
    busLate: 'late',
    overrides: 'Overrides',
    overridden: 'held by an operator',
  },
};

export type NowText = typeof en;
