/** Taking a junction over: what holds now with its countdown, the form, and the record. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JunctionDetail, Stage } from '../../api/types';
import { formatClock, formatDuration } from '../../format';
import { ledgerSentence } from '../../ledger/sentence';
import { complain } from '../../state/actions';
import { getRoute, go, useRoute } from '../../state/route';
import { toast, useStore } from '../../state/store';
import { nowStore } from '../../now/store';
import { changedHere, personWords } from '../../state/takeovers';
import { useMay } from '../../state/user';
import { text } from '../../text';
import { ReasonDialog } from '../../ui/dialog';
import { junctionApi, type Override, type OverrideAction } from './api';
import { progressOf } from './account';
import { endOf, fulfils, isEmptied, secondsLeft } from './model';
import { sayGreen, useStageName, type StageName } from './naming';
import { junctionStore, refreshRecent, refreshRecord } from './store';
import { words } from './text';
import { warnOf } from './why';

const DURATIONS_S: Record<OverrideAction, number[]> = { stage: [30, 60, 120, 300], hold: [30, 60, 120, 300], local: [300, 900, 1800, 3600] };
const ACTIONS: OverrideAction[] = ['stage', 'hold', 'local'];

async function change(id: string, ask: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    changedHere(id);
    await ask();
    changedHere(id);
    toast('note', done);
    return true;
  } catch (error) {
    complain(error);
    return false;
  } finally {
    await Promise.all([refreshRecent(id), refreshRecord(id)]);
  }
}

export function OverridePart({ detail }: { detail: JunctionDetail }): JSX.Element {
  const override = junctionStore.use((s) => s.recent?.override ?? null);
  const ended = junctionStore.use((s) => s.ended);
  const mayTake = useMay('operator');
  const [changing, setChanging] = useState(false);
  const [asking, setAsking] = useState<Override | null>(null);
  const form = mayTake && (!override || changing);
  const name = useStageName(detail);
  return (
    <section class="override" aria-labelledby="override-title" data-testid="override">
      <h3 id="override-title">{words.override.title}</h3>
      <Vehicle detail={detail} />
      {override && (
        <InForce override={override} shown={detail.stage} name={name} changing={changing} mayTake={mayTake} onChange={() => setChanging(!changing)} onGiveBack={() => setAsking(override)} />
      )}
      {!override && ended && <Ended ended={ended} name={name} />}
      {form && <TakeOver key={detail.id} detail={detail} onDone={() => setChanging(false)} />}
      {!mayTake && <p class="muted small">{words.override.notYours}</p>}
      <Record name={name} />
      {asking && <GiveBack override={asking} over={override?.since_s !== asking.since_s} junction={detail.name || detail.id} onClose={() => setAsking(null)} />}
    </section>
  );
}

/** The vehicle that has the junction, or comes here: up front, because an override goes before it. */
function Vehicle({ detail }: { detail: JunctionDetail }): JSX.Element | null {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const geometry = useStore((s) => s.geometry);
  const nowS = useStore((s) => s.snapshot?.time_s ?? 0);
  const held = junctionStore.use((s) => s.recent?.held_for ?? null);
  const coming = useStore((s) => s.snapshot?.missions.find((one) => one.next_junction === detail.id) ?? null);
  const said = held ? warnOf(held, detail.stage, geometry, epoch, nowS) : coming ? words.override.mission(coming.vehicle || coming.id) : '';
  return said ? (
    <p class="warn-text" data-testid="override-vehicle">
      {said}
    </p>
  ) : null;
}

interface InForceProps {
  override: Override;
  /** The stage that is shown, null between stages. */
  shown: string | null;
  name: StageName;
  changing: boolean;
  mayTake: boolean;
  onChange(): void;
  onGiveBack(): void;
}

function InForce({ override, shown, name, changing, mayTake, onChange, onGiveBack }: InForceProps): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const left = useStore((s) => secondsLeft(override, Math.max(s.timeS || 0, s.snapshot?.time_s ?? 0)));
  const { action, stage, duration_s: duration } = override;
  const giveBackTo = useGiveBackTo();
  const emptied = useEmptied(override);
  const clearing = progressOf(override, shown) === 'clearing';
  const told =
    action === 'local' ? words.override.now.local(name(stage))
    : clearing ? words.override.clearing(name(stage))
    : shown !== stage ? words.override.now.stage(name(stage))
    : action === 'stage' ? words.override.shown(name(stage))
    : words.override.now.hold(name(stage));
  const clock = (timeS: number): string => formatClock(epoch, timeS);
  return (
    <div class={`in-force ${override.accepted ? '' : 'waits'}`} data-testid="override-now">
      <p class="in-force-what">
        <b>{told}</b>
        <span class="countdown" role="timer" aria-label={words.override.leftLabel} data-testid="override-left">
          {formatDuration(clearing ? duration : left)}
        </span>
      </p>
      <p class="muted small">
        {words.override.by(personWords(override.actor))} ·{' '}
        {clearing
          ? words.override.begins(clock(override.since_s), formatDuration(duration))
          : words.override.fromUntil(clock(override.shown_s ?? override.since_s), clock(override.expires_s))}
      </p>
      <p class="in-force-reason">“{override.reason}”</p>
      {!override.accepted && (
        <p class="error-text small">
          {words.override.waits}: {override.note}
        </p>
      )}
      {emptied && (
        <p class="small" role="status" data-testid="override-emptied">
          {words.override.emptied}
        </p>
      )}
      {mayTake && (
        <div class="actions">
          <button type="button" class="button" aria-pressed={changing} data-testid="override-change" onClick={onChange}>
            {words.override.change}
          </button>
          <button type="button" class="button primary" data-testid="override-give-back" onClick={onGiveBack}>
            {giveBackTo}
          </button>
        </div>
      )}
    </div>
  );
}

/** Whether the full road for whose sake it was requested here is full no longer. */
function useEmptied(override: Override): boolean {
  const emptying = junctionStore.use((s) => s.emptying);
  const full = nowStore.use((s) => (s.signs && !s.lost ? s.full : null));
  return full !== null && isEmptied(emptying, override, full);
}

/** To whom: where no brain controls the signals, nobody has it again but the local plan. */
const useGiveBackTo = (): string => (useStore((s) => s.snapshot?.brain_on ?? true) ? words.override.giveBack : words.override.giveBackLocal);

interface GiveBackProps {
  override: Override;
  /** It has ended since the question was asked: the question stays and says so, so that no click goes astray. */
  over: boolean;
  junction: string;
  onClose(): void;
}

function GiveBack({ override, over, junction, onClose }: GiveBackProps): JSX.Element {
  return (
    <ReasonDialog
      title={over ? words.override.overTitle(junction) : words.override.giveBackTitle(junction)}
      explain={over ? words.override.overExplain : words.override.giveBackExplain}
      keep={words.override.keep}
      confirm={useGiveBackTo()}
      over={over}
      onCancel={onClose}
      onConfirm={(reason) => {
        onClose();
        void change(
          override.junction,
          async () => {
            await junctionApi.giveBack(override.junction, reason);
            junctionStore.set({ leaving: override.since_s });
            forgetRequest(override.junction);
          },
          words.override.givenBack,
        );
      }}
    />
  );
}

/** Stays until it has been read: an override that ends unseen is one that somebody counts on. */
function Ended({ ended, name }: { ended: Override; name: StageName }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const record = junctionStore.use((s) => s.record);
  const { action, stage, reason } = ended;
  const end = endOf(record, ended);
  const how = end ? ledgerSentence(end, { nameOf: () => '', stageOf: name }) : '';
  return (
    <div class="override-ended" role="status" data-testid="override-ended">
      <p>
        <b>{words.override.ended}</b> {words.override.endedWhat(words.override.was[action](name(stage)), formatClock(epoch, ended.expires_s), reason, how)}
      </p>
      <button type="button" class="button" data-testid="override-ended-read" onClick={() => junctionStore.set({ ended: null })}>
        {words.override.read}
      </button>
    </div>
  );
}

/** What was asked for is done with: the form begins empty, and no stage is shown on the map. */
function forgetRequest(junction: string): void {
  const { room, item, query } = getRoute();
  const { stage: _stage, reason: _reason, road: _road, ...others } = query;
  if (item === junction) go(room, item, others, true);
}

/** Whom a stage would let go, on the map, while somebody chooses it. */
const preview = (previewed: string): void => junctionStore.set({ previewed });

function TakeOver({ detail, onDone }: { detail: JunctionDetail; onDone(): void }): JSX.Element {
  const planOnly = detail.capability === 'plan';
  const form = useRef<HTMLFormElement>(null);
  // the place changes at once, the junction that is shown when it has been fetched
  const asked = useRoute(({ item, query }) => (item === detail.id && query['reason'] ? `${query['stage'] ?? ''}\n${query['reason']}` : ''));
  useEffect(() => {
    const [wanted, why] = asked.split('\n');
    if (why) {
      // whoever came to request this stage finds the form filled in before them, and on the map whom it would let go
      const known = detail.stages.some((one) => one.id === wanted) && !planOnly;
      if (known) {
        setAction('stage');
        setStage(wanted);
      }
      setReason(why);
      window.setTimeout(() => preview(known ? wanted : '')); // after the room has begun with this junction
      form.current?.querySelector<HTMLInputElement>('[data-testid=override-reason]')?.focus();
      form.current?.scrollIntoView({ block: 'nearest' });
    }
    return () => preview('');
  }, [asked]);
  const [action, setAction] = useState<OverrideAction>(planOnly ? 'local' : 'stage');
  const [stage, setStage] = useState(() => {
    const asked = getRoute().query['stage']; // whoever came by a remedy finds it chosen
    return junctionStore.get().recent?.override?.stage || detail.stages.find((one) => one.id === asked)?.id || detail.stages[0]?.id || '';
  });
  const [duration, setDuration] = useState<Record<OverrideAction, number>>({ stage: 60, hold: 60, local: 900 });
  const [reason, setReason] = useState('');
  const [missing, setMissing] = useState('');
  const [busy, setBusy] = useState(false);
  const me = useStore((s) => s.user?.actor ?? '');
  const held = junctionStore.use((s) => (s.recent?.override?.actor === me ? null : (s.recent?.override ?? null)));
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const plan = junctionStore.use((s) => s.plan);
  const kinds = detail.groups.map((group) => group.kind);
  const says = (one: Stage): string => {
    const green = sayGreen(plan, one, kinds);
    return green ? words.stages.short(one.id, green) : one.id;
  };
  const now = detail.stages.find((one) => one.id === detail.stage);
  const submit = async (): Promise<void> => {
    const lacks = action === 'stage' && !stage ? words.override.noStage : reason.trim() ? '' : words.override.missing;
    setMissing(lacks);
    if (lacks) return;
    setBusy(true);
    const order = { action, stage: action === 'stage' ? stage : '', duration_s: duration[action], reason: reason.trim() };
    const done = await change(detail.id, () => junctionApi.takeOver(detail.id, order), words.override.done);
    setBusy(false);
    if (done) {
      const override = junctionStore.get().recent?.override;
      if (override) junctionStore.set({ emptying: fulfils(getRoute(), override) });
      setReason('');
      forgetRequest(detail.id);
      onDone();
    }
  };
  return (
    <form
      ref={form}
      class="take-over"
      aria-label={words.override.begin}
      data-testid="override-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="segments" role="group" aria-label={words.override.action}>
        {ACTIONS.map((one) => (
          <button
            key={one}
            type="button"
            class={action === one ? 'active' : ''}
            aria-pressed={action === one}
            disabled={planOnly && one !== 'local'}
            data-testid={`override-${one}`}
            onClick={() => setAction(one)}
          >
            {words.override[one]}
          </button>
        ))}
      </div>
      <div class="take-over-fields">
        {action === 'stage' && (
          <label class="stacked">
            <span class="caption">{words.override.whichStage}</span>
            <select
              value={stage}
              data-testid="override-which"
              onFocus={() => preview(stage)}
              onBlur={() => preview('')}
              onChange={(event) => {
                setStage(event.currentTarget.value);
                preview(event.currentTarget.value);
              }}
            >
              {detail.stages.map((one) => (
                <option key={one.id} value={one.id}>
                  {says(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        <label class="stacked">
          <span class="caption">{words.override.duration}</span>
          <select
            value={duration[action]}
            data-testid="override-duration"
            onChange={(event) => setDuration({ ...duration, [action]: Number(event.currentTarget.value) })}
          >
            {DURATIONS_S[action].map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds < 120 ? words.override.seconds(seconds) : words.override.minutes(seconds / 60)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label class="stacked">
        <span class="caption">
          {words.override.reason} ({words.override.reasonHint})
        </span>
        <input
          type="text"
          maxLength={300}
          value={reason}
          aria-invalid={missing !== ''}
          aria-describedby="override-missing"
          data-testid="override-reason"
          onInput={(event) => {
            setReason(event.currentTarget.value);
            setMissing('');
          }}
        />
      </label>
      <p id="override-missing" class="error-text small" role="alert">
        {missing}
      </p>
      {held && (
        <p class="warn-text small" data-testid="override-ends">
          {words.override.ends(personWords(held.actor), formatClock(epoch, held.expires_s))}
        </p>
      )}
      {planOnly && <p class="muted small">{words.override.planOnly}</p>}
      <p class="muted small">
        {words.override.goesBefore} {words.override.safe}
      </p>
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy} data-testid="override-take">
          {action === 'hold' && now ? words.override.takeHold(says(now)) : words.override.take(detail.name || detail.id)}
        </button>
      </div>
    </form>
  );
}

function Record({ name }: { name: StageName }): JSX.Element {
  const record = junctionStore.use((s) => s.record);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  return (
    <details class="record" data-testid="override-record">
      <summary>
        {words.override.record}
        {record.length > 0 && <span class="count">{record.length}</span>}
      </summary>
      {record.length === 0 && <p class="muted small">{words.override.noRecord}</p>}
      <ul class="notes record-list">
        {record.map((entry) => (
          <li key={entry.seq}>
            <span class="muted">{entry.time_s === null ? text.indicators.unknown : formatClock(epoch, entry.time_s)}</span> {ledgerSentence(entry, { nameOf: () => '', stageOf: name })}
          </li>
        ))}
      </ul>
    </details>
  );
}
