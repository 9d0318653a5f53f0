/** What the reader of an answer must know: the platform's notes in the reader's language. */

import { words } from './text';

type Note = keyof (typeof words)['answer']['note'];

const KNOWN: readonly (readonly [RegExp, Note])[] = [
  [/^Mesoscopic:/, 'mesoscopic'],
  [/^The control starts without its memory/, 'memory'],
  [/^With the change, the brain does not decide at (.+): the plan holds/, 'planHolds'],
  [/^One pair only/, 'onePair'],
  [/^From a kept moment/, 'keptMoment'],
  [/^Closed lanes beside open ones/, 'closedLanes'],
];

/** A note that is not known here stands as it was said. */
export function noteInWords(note: string): string {
  for (const [pattern, known] of KNOWN) {
    const found = pattern.exec(note);
    if (found) return words.answer.note[known](found[1] ?? '');
  }
  return note;
}
