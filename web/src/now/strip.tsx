/** The strip: the city's vital signs, each beside the fixed plan and the usual day. What is not known says so. */

import type { JSX } from 'preact';
import { compare, formatTenth, formatWhole } from '../format';
import { useAgeS } from '../state/freshness';
import { useStore } from '../state/store';
import { text } from '../text';
import { Age } from '../ui/age';
import type { SignId, VitalSign } from './api';
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

function Tile({ id }: { id: SignId }): JSX.Element {
  const sign = nowStore.use((s) => s.signs?.signs.find((one) => one.id === id) ?? null);
  const state = sign?.state ?? 'unknown';
  return (
    <div class={`tile ${state}`} title={words.hints[id]} data-testid={`indicator-${id}`}>
      <h2>
        {words.signs[id]}
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
      </p>
      <div class="against" data-testid={`${id}-against`}>
        {sign && <Fixed sign={sign} />}
        {sign && <Usual sign={sign} />}
      </div>
    </div>
  );
}

function Fixed({ sign }: { sign: VitalSign }): JSX.Element {
  const progress = useStore((s) => s.snapshot?.baseline_progress ?? 0);
  if (sign.fixed !== null) return <Compared sign={sign} reference={sign.fixed} name={words.fixed(formatReference(sign, sign.fixed))} />;
  if (sign.fixed_note === 'computing')
    return (
      <p class="comparing" title={text.indicators.comparingHint}>
        {text.indicators.comparing(`${Math.floor(progress * 100)} %`)}
        <progress max={1} value={progress} aria-label={text.indicators.comparingHint} />
      </p>
    );
  return (
    <p class="muted" title={words.fixedNoMeaning[sign.id] ?? text.indicators.noMinute}>
      {words.fixed(text.indicators.unknown)}
    </p>
  );
}

function Usual({ sign }: { sign: VitalSign }): JSX.Element {
  if (sign.usual !== null)
    return <Compared sign={sign} reference={sign.usual} name={words.usual(formatReference(sign, sign.usual))} hint={words.usualHint(sign.usual_days)} />;
  return (
    <p class="muted" title={words.usualUnknown[sign.usual_note]}>
      {words.usual(text.indicators.unknown)}
    </p>
  );
}

function Compared({ sign, reference, name, hint }: { sign: VitalSign; reference: number; name: string; hint?: string }): JSX.Element {
  if (sign.value === null) return <p class="muted">{name}</p>;
  const { kind, difference } = compare(sign.value, reference, sign.good_when, sign.id === 'delay' || sign.unit === '1' ? 1 : 0);
  const verdict = kind === 'same' ? text.indicators.same : kind === 'better' ? text.indicators.better : text.indicators.worse;
  return (
    <p title={hint}>
      <span class="muted">{name}</span>{' '}
      <span class={`verdict ${kind}`}>
        {kind !== 'same' && <b>{difference}</b>} {verdict}
      </span>
    </p>
  );
}
