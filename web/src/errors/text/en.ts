/** What the platform says when it refuses or fails, in English. */

type Say = (first: string, second: string) => string;

export const en = {
  /** By the status of the answer. */
  title: {
    400: 'Not understood',
    403: 'Not allowed',
    404: 'Not there',
    409: 'Refused',
    413: 'Too much at once',
    429: 'Too many requests',
    500: 'A fault',
    503: 'Not possible now',
  } as Record<number, string>,
  /** A message that has no words of its own here. */
  english: (message: string) => message,
  said: {
    noWay: () => 'There is no way from its start to its end. Choose others, or another direction.',
    sameMission: (id) => `There is a mission ${id} already.`,
    manyMissions: (count) => `${count} missions are under way. End some first.`,
    missionOver: (id) => `Mission ${id} is over.`,
    notDriven: () => 'The twin does not drive it. Try another way.',
    noOverride: () => 'Nobody overrides this junction any more.',
    stageUnknown: () => 'It is not known which stage the junction shows. Request a stage instead.',
    refuses: (who, why) => `The ${who} refuses it: ${why}. The junction goes on as before.`,
    manyWait: (count) => `${count} wait already. Cancel one, or wait.`,
    momentGone: () => 'This moment is not kept any more. Choose another.',
    changedSince: (id) => `${id} has changed meanwhile. Look at it again, then decide.`,
    stepOpen: (id, step) => `${id} cannot go on: “${step}” is open. Do it, or skip it with a reason.`,
    caseClosed: (id) => `${id} is closed. Reopen it first.`,
    stepOver: () => 'This step is over: nothing is left to do.',
    twoControls: () => 'A comparison needs two different methods.',
    diskFull: () => 'The disk of the studies is nearly full. Make room first.',
    wrongPassword: () => 'The current password is wrong.',
    killed: () => 'Its process was killed, as happens when memory runs out. Free memory, or ask for fewer minutes, fewer pairs or the mesoscopic model.',
    crashed: () => 'The simulator crashed. Ask with the other traffic model, and report what was asked.',
    endedOutside: () => 'Somebody ended its process from outside. Ask again.',
    tookLong: (seconds) => `It took longer than ${seconds} s. Ask for fewer minutes, fewer pairs or the mesoscopic model, or when less runs on this machine.`,
    startedAnew: () => 'The service was started anew meanwhile. Ask again.',
    stateLate: (seconds) => `The twin’s state was not written within ${seconds} s. See whether the machine is overloaded or its disk full, then ask again.`,
    noState: () => 'The twin does not give its state. See whether the city runs and the machine is not overloaded, then ask again.',
    noAnswer: () => 'A part of the platform does not answer; it may be starting again. Try again in some seconds.',
    fault: () => 'A fault in Civic Brain; its log says more.',
  } satisfies Record<string, Say> as Record<SaidKey, Say>,
};

type SaidKey =
  | 'noWay' | 'sameMission' | 'manyMissions' | 'missionOver' | 'notDriven' | 'noOverride' | 'stageUnknown' | 'refuses' | 'manyWait' | 'momentGone'
  | 'changedSince' | 'stepOpen' | 'caseClosed' | 'stepOver' | 'twoControls' | 'diskFull' | 'wrongPassword' | 'killed' | 'crashed' | 'endedOutside'
  | 'tookLong' | 'startedAnew' | 'stateLate' | 'noState' | 'noAnswer' | 'fault';

export type ErrorWords = typeof en;
