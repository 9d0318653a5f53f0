/** What the platform says in English when it refuses or fails, in the reader's language: the messages that operators
 * meet. Another one stands as it was said, and is said to be in English. */

import { words, type ErrorWords } from './text';

export type Known = keyof ErrorWords['said'];

/** Message, its groups are what stands in it -> its words. */
const KNOWN: readonly (readonly [RegExp, Known])[] = [
  [/there is no way from its start to its end/, 'noWay'],
  [/there is a mission '(.+?)' already/, 'sameMission'],
  [/(\d+) missions are under way/, 'manyMissions'],
  [/mission '(.+?)' is over/, 'missionOver'],
  [/the twin does not drive it/, 'notDriven'],
  [/nobody overrides this junction/, 'noOverride'],
  [/it is not known which stage the junction shows/, 'stageUnknown'],
  [/the (\w+) refuses it: ([^\n]*)/, 'refuses'],
  [/(\d+) (?:what-ifs|studies) wait already/, 'manyWait'],
  [/this moment is not kept any more/, 'momentGone'],
  [/(\S+) has changed since \(version/, 'changedSince'],
  [/(\S+) cannot leave \w+: ['"](.+?)['"] is open/, 'stepOpen'],
  [/(case-\d+) is closed/, 'caseClosed'],
  [/the step '(.+?)' is (?:done|skipped)/, 'stepOver'],
  [/a comparison needs two different controls/, 'twoControls'],
  [/the disk of the studies is nearly full/, 'diskFull'],
  [/the current password is wrong/, 'wrongPassword'],
  [/ended by SIGKILL/, 'killed'],
  [/ended by SIG\w+: SUMO crashed/, 'crashed'],
  [/ended by SIG\w+: somebody ended it/, 'endedOutside'],
  [/memory ran out/, 'killed'],
  [/it took longer than (\d+) s/, 'tookLong'],
  [/the service was started anew while/, 'startedAnew'],
  [/the twin's state was not written within (\d+) s/, 'stateLate'],
  [/the twin does not give its state/, 'noState'],
  [/gave no answer within|does not answer/, 'noAnswer'],
  [/a fault in Civic Brain/, 'fault'],
];

/** An error as the platform writes it ("place: message\n  remedy: …"), as sentences. inEnglish: how they are made of
 * what is not known here. */
export function tellError(error: string, inEnglish: (error: string) => string): string {
  for (const [pattern, known] of KNOWN) {
    const found = pattern.exec(error);
    if (found) return words.said[known](found[1] ?? '', found[2] ?? '');
  }
  const english = inEnglish(error);
  return english && words.english(english);
}
