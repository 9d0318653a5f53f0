/** Why a run of a study failed, for people: what programs print stands in the study's folder. */

import { errorSentences } from '../../format';

/** Cut off: the last lines of a log, and where a traceback lies. */
const PRINTED = /;\s*its last words:[^]*$|\s*\(traceback in [^)]*\)/g;

export const reasonInWords = (reason: string): string => errorSentences(reason.replace(PRINTED, ''));

/** A failure is told as "control, seed: reason". */
export function failureInWords(failure: string): string {
  const [, run, reason] = /^([^:]*, \d+): ([^]*)$/.exec(failure) ?? ['', '', failure];
  return [run, reasonInWords(reason)].filter(Boolean).join(': ');
}
