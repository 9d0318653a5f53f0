/** The one sentence that an answer begins with: what becomes of the mean delay, and how sure that is. */

import { verdictOf } from '../../desk/figures';
import { formatWhole } from '../../format';
import type { Answer } from './types';

export interface VerdictWords {
  less: (percent: string, minutes: string) => string;
  more: (percent: string, minutes: string) => string;
  open: (low: string, high: string, minutes: string) => string;
  none: (minutes: string) => string;
  small: string;
  agree: (count: number, of: number) => string;
  one: string;
}

export interface Verdict {
  kind: 'better' | 'worse' | 'open' | 'none';
  sentence: string;
}

const signed = (percent: number): string => (percent < 0 ? `−${formatWhole(-percent)}` : percent > 0 ? `+${formatWhole(percent)}` : '0');

/** null: the answer does not know the mean delay. */
export function readVerdict(answer: Answer, words: VerdictWords): Verdict | null {
  const delay = answer.indicators.find((one) => one.name === 'mean_delay');
  if (!delay) return null;
  const minutes = formatWhole((answer.to_s - answer.from_s) / 60);
  const { mean, low, high } = delay.difference;
  const nothing = answer.indicators.every(({ difference }) => difference.mean === 0) && answer.junctions.every(({ difference }) => difference.mean === 0);
  if (nothing) return { kind: 'none', sentence: words.none(minutes) };
  const percentOf = (seconds: number): number => (100 * seconds) / Math.max(delay.against.mean, 0.1);
  const reading = verdictOf(low, high, 'less');
  if (low !== null && high !== null && reading === 'open') {
    return { kind: 'open', sentence: words.open(signed(Math.round(percentOf(low))), signed(Math.round(percentOf(high))), minutes) };
  }
  const percent = Math.abs(percentOf(mean));
  const size = percent < 1 ? words.small : formatWhole(percent);
  const sure = answer.pairs < 2 ? words.one : delay.agreeing == null ? '' : words.agree(delay.agreeing, answer.pairs);
  const said = mean <= 0 ? words.less(size, minutes) : words.more(size, minutes);
  return { kind: reading === '' ? 'open' : mean < 0 ? 'better' : 'worse', sentence: sure ? `${said}; ${sure}.` : `${said}.` };
}
