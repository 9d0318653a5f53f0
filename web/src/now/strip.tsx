/** The strip: the city's vital signs, each beside the fixed plan and the usual day. What is not known says so. */

import type { JSX } from 'preact';
import { compare, formatDuration, formatTenth, formatWhole, sentence } from '../format';
import { useAgeS } from '../state/freshness';
import { go } from '../state/route';
import { useStore } from '../state/store';
import { text } from '../text';
import { Age } from '../ui/age';
import type { SignId, VitalSign } from './api';
import { showFullRoads } from './remedies';
import { nowStore } from './store';
import './strip.css';
import { words } from './text';

export const SIGNS: readonly SignId[] = [
  'delay', 'throughput', 'spill-backs', 'incidents', 'silent-cameras', 'local-controllers', 'brains', 'vehicles',
];

export const formatSign = (sign: Pick<VitalSign, 'id'>, value: number): string => (sign.id === 'delay' ? formatTenth(value) : formatWhole(value));
/** References of counts are means: 0.4 is not none. */
const formatReference = (sign: VitalSign, value: number): string => (sign.unit === '1' ? formatTenth(value) : formatSign(sign, value));
export const UNITS: Partial<Record<SignId, string>> = { delay: text.indicators.delayUnit, throughput: text.indicators.throughputUnit };

export function Strip(): JSX.Element {
  const stale = useStore((s) => s.snapshotLost || (s.snapshot?.stale ?? false));
  const old = useAgeS() > 0;
  const lost = nowStore.use((s) => s.lost || (s.signs?.stale ?? false));
  return (
    <section class={`strip ${stale || lost || old ? 'lost' : ''}`} aria-label={words.strip} data-testid="indicators">
      {SIGNS.map((id) => (
        <Tile key={id} id={id} />
      ))}
      <Age />
    </section>
  );
}

/** Where a figure leads that asks for a look: nothing is as useless as a number that says "here is something". */
const WAYS: Partial<Record<SignId, () => void>> = { incidents: () => go('cases'), 'spill-backs': () => void showFullRoads() };

function Tile({ id }: { id: SignId }): JSX.Element {
  const sign = nowStore.use((s) => s.signs?.signs.find((one) => one.id === id) ?? null);
  const state = sign?.state ?? 'unknown';
  const way = sign?.value ? WAYS[id] : undefined;
  return (
    <div class={`tile ${state}`} title={hintOf(id, sign)} data-testid={`indicator-${id}`}>
      <h2>
        {way ? (
          <button type="button" class="tile-way" title={words.ways[id]} data-testid={`indicator-${id}-way`} onClick={way}>
            {words.signs[id]}
          </button>
        ) : (
          words.signs[id]
        )}
        {(state === 'watch' || state === 'bad') && (
          <span class="sign-state">
            <span aria-hidden="true">{state === 'bad' ? '▲' : '●'}</span>
            <span class="hidden-word">{words.state[state]}</span>
          </span>
        )}
      </h2>
      <p class="figure">
        <strong data-testid={`${id}-now`}>{sign?.value == null ? text.indicators.unknown : formatSign(sign, sign.value)}</strong>
        {sign?.of != null ? <span class="unit">{words.of(formatWhole(sign.of))}</span> : UNITS[id] && <span class="unit">{UNITS[id]}</span>}
        {sign?.span_s != null && <span class="unit span">{words.ofLast(formatDuration(sign.span_s))}</span>}
      </p>
      <div class="against" data-testid={`${id}-against`}>
        {sign && <Fixed sign={sign} />}
        {sign && <Usual sign={sign} />}
      </div>
    </div>
  );
}

/** What the figure is, why it is marked, and why there is nothing beside it where nothing is. */
function hintOf(id: SignId, sign: VitalSign | null): string {
  const marked = sign && (sign.state === 'watch' || sign.state === 'bad');
  return [
    words.hints[id],
    sign?.span_s != null && words.windowFills,
    marked && `${sentence(words.state[sign.state])} ${words.watched[id] ?? words.watchedAgainst}`,
    sign && sign.fixed === null && sign.fixed_note !== 'computing' && (words.fixedNoMeaning[id] ?? text.indicators.noMinute),
    sign && sign.usual === null && words.usualUnknown[sign.usual_note],
  ]
    .filter((line): line is string => Boolean(line))
    .map(sentence)
    .join('\n');
}

function Fixed({ sign }: { sign: VitalSign }): JSX.Element | null {
  const progress = useStore((s) => s.snapshot?.baseline_progress ?? 0);
  if (sign.fixed !== null) return <Compared sign={sign} reference={sign.fixed} name={words.fixed(formatReference(sign, sign.fixed))} />;
  if (sign.fixed_note === 'computing')
    return (
      <p class="comparing" title={text.indicators.comparingHint}>
        {text.indicators.comparing(`${Math.floor(progress * 100)} %`)}
        <progress max={1} value={progress} aria-label={text.indicators.comparingHint} />
      </p>
    );
  return null;
}

function Usual({ sign }: { sign: VitalSign }): JSX.Element | null {
  if (sign.usual !== null)
    return <Compared sign={sign} reference={sign.usual} name={words.usual(formatReference(sign, sign.usual))} hint={words.usualHint(sign.usual_days)} />;
  return null;
}

/** A city varies by so much within minutes: less is no difference to speak of. */
const CLEAR_SHARE = 0.05;

function Compared({ sign, reference, name, hint }: { sign: VitalSign; reference: number; name: string; hint?: string }): JSX.Element {
  if (sign.value === null) return <p class="muted">{name}</p>;
  const { kind, difference } = compare(sign.value, reference, sign.good_when, sign.id === 'delay' || sign.unit === '1' ? 1 : 0, CLEAR_SHARE);
  // fewer vehicles may be quicker ones, or ones that cannot get in: neither better nor worse by itself
  const neutral = sign.id === 'vehicles' && kind !== 'same';
  const verdict = neutral ? (sign.value < reference ? text.indicators.fewer : text.indicators.more) : kind === 'same' ? text.indicators.same : kind === 'better' ? text.indicators.better : text.indicators.worse;
  return (
    <p title={hint}>
      <span class="muted">{name}</span>{' '}
      <span class={`verdict ${neutral ? 'same' : kind}`}>
        {kind !== 'same' && <b>{difference}</b>} {verdict}
      </span>
    </p>
  );
}
