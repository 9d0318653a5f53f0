/** An entry of the ledger as a sentence: the one place where that is done. Kinds that it does not know are told
 * as names and values. */

import { titleWords, type Told } from '../alerts/words';
import { capital, formatValue, humanise } from '../format';
import { personWords } from '../state/takeovers';
import { text as page } from '../text';
import { words as chosen } from './text';
import type { LedgerText, Said } from './text/en';

export interface LedgerTold {
  kind: string;
  actor: string;
  body: Record<string, unknown>;
}

interface Options {
  /** How a junction is called; "" leaves it out, where it is known from where the sentence stands. */
  nameOf?: (junction: string) => string;
  /** How a stage is called, where more than its id is known. */
  stageOf?: (stage: string) => string;
  /** Words for a case's kind. */
  kindOf?: (kind: string) => string;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? formatValue(value) : '');

/** The step within a kind, where the kind has some. */
function stepOf({ kind, body }: LedgerTold): string {
  if (kind === 'brain-switch') return body['enabled'] ? 'on' : 'off';
  if (kind === 'decision') return body['accepted'] ? 'yes' : 'no';
  if (kind === 'twin') return textOf(body['action']);
  return textOf(body['what']);
}

/** A brain or the operator, as within a sentence. */
export const deciderWords = (name: string, words: LedgerText = chosen): string => words.decider[name] ?? name;

/** Who did it, as a sentence begins. A person's name stays as it is. */
function actorOf(name: string, words: LedgerText): string {
  const decider = words.decider[name];
  return words.actor[name] ?? (decider ? capital(decider) : personWords(name));
}

/** Each kind calls what it is about by another name. */
function nameIn({ kind, body }: LedgerTold, words: LedgerText): string {
  const of = (key: string): string => textOf(body[key]);
  switch (kind) {
    case 'override':
      return personWords(of('set_by'));
    case 'brain-switch':
      return deciderWords(of('brain'), words);
    case 'brain-failed':
    case 'brain-recovered':
      return actorOf(of('brain'), words);
    case 'start':
      return of('city');
    case 'decision':
      return of('closure') || of('proposals');
    case 'what-if':
      return of('title') || words.unnamed;
    case 'mission':
      return [of('vehicle'), of('mission')].filter(Boolean)[0] ?? '';
    case 'case':
      return of('case');
    case 'alarms-acknowledged':
    case 'alarms-shelved':
    case 'alarms-unshelved':
    case 'alarms-cleared':
      return alarmsIn(body, words);
    default:
      return of('title') || of('name');
  }
}

/** The first alarms that an entry is about by their titles, and how many more there are. */
function alarmsIn(body: Record<string, unknown>, words: LedgerText): string {
  const told = Array.isArray(body['alarms']) ? (body['alarms'] as Told[]) : [];
  const titles = told.filter((one) => typeof one === 'object').map((one) => words.quoted(titleWords(one)));
  const more = (typeof body['count'] === 'number' ? body['count'] : told.length) - titles.length;
  return [...new Set(titles), ...(more > 0 ? [words.moreAlarms(formatValue(more))] : [])].join(', ');
}

export function ledgerSentence(told: LedgerTold, { nameOf = (junction) => junction, stageOf = page.junction.stageOf, kindOf = (kind) => kind }: Options = {}, words: LedgerText = chosen): string {
  const { kind, actor, body } = told;
  const step = stepOf(told);
  const say = words.sentence[`${kind}:${step}`] ?? words.sentence[kind];
  if (!say) return legible(told);
  const of = (key: string): string => textOf(body[key]);
  const junction = of('junction') && nameOf(of('junction'));
  const rule = of('rule');
  const reason = of('why') || of('reason') || of('error') || of('detail') || rule;
  const ended = kind === 'mission' && step === 'ended' ? words.end[rule] : undefined;
  const factor = body['value'] === 0 ? words.fastest : words.times(of('value'));
  const said: Said = {
    who: actorOf(actor, words),
    at: junction && words.at(junction),
    why: ended ? words.because(ended) : reason && words.why(reason),
    what: kind === 'case' ? kindOf(of('kind')) : (words.action[of('action')]?.(stageOf(of('stage'))) ?? of('action')),
    name: nameIn(told, words),
    from: of('from'),
    to: of('to') || of('control'),
    more: kind === 'twin' ? factor : of('entries_lost'),
  };
  return say(said).trim();
}

/** Names and values, whatever it is. */
function legible({ kind, actor, body }: LedgerTold): string {
  const values = Object.entries(body)
    .filter(([, value]) => value !== '' && value !== null)
    .map(([key, value]) => `${humanise(key)} ${formatValue(value, key)}`);
  return `${humanise(kind.replaceAll('-', '_'))}${actor ? ` (${actor})` : ''}${values.length ? `: ${values.join(', ')}` : ''}`;
}
