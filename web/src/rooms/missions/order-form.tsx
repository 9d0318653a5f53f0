/** A new mission: who, how urgent, from where to where. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { MISSION_KINDS, URGENCIES, type MissionKind, type Urgency } from '../../api/mission-types';
import { keepDraft, readDraft } from '../../state/draft';
import { getState, setState, useStore } from '../../state/store';
import { useModal } from '../../ui/use-modal';
import { words as errorWords } from '../../errors/text';
import { missionText } from './text';
import { formatDistance, formatDuration } from '../../format';
import { findWay, orderMission, selectMission } from './actions';
import { sameVehicle } from './model';
import { PlaceField } from './place-field';

export interface Draft {
  vehicle: string;
  kind: MissionKind;
  urgency: Urgency;
  simulate: boolean;
  reason: string;
  from?: string;
  to?: string;
}

const DRAFT = 'mission';
const NEW: Draft = { vehicle: '', kind: 'ambulance', urgency: 3, simulate: true, reason: '' };

export const hasDraft = (): boolean => readDraft<Draft>(DRAFT) !== null;
/** What the form starts with the next time, nothing for an empty one. */
export const startDraft = (part: Partial<Draft> | null): void => keepDraft(DRAFT, part && { ...NEW, ...part });

/** It goes on where somebody left it for another room. */
export function OrderForm({ onOrdered }: { onOrdered: () => void }): JSX.Element {
  const words = missionText.form;
  const kept = useRef(readDraft<Draft>(DRAFT));
  const [draft, setDraft] = useState<Draft>(kept.current ?? NEW);
  const { vehicle, kind, urgency, simulate, reason } = draft;
  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    startDraft({ ...next, from, to }); // at once: the next press may lead elsewhere
  };
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [key, setKey] = useState('');
  const { from, to } = useStore((s) => s.picked);
  const way = useStore((s) => s.choice);
  const noWay = useStore((s) => s.noWay);
  const first = useRef<HTMLInputElement>(null);
  const twice = useStore((s) => s.snapshot?.missions.some((one) => sameVehicle(one.vehicle, vehicle)) ?? false);
  useEffect(() => {
    first.current?.focus();
    const { from: start, to: end } = draft;
    if (start || end) setState({ picked: { ...(start && { from: start }), ...(end && { to: end }) } });
  }, []);
  const sent = useRef(false);
  const mounted = useRef(false);
  useEffect(() => {
    if (mounted.current && !sent.current && (draft !== NEW || from || to)) startDraft({ ...draft, from, to });
    mounted.current = true; // before, its ends are not yet where they were
  }, [from, to]);
  useEffect(() => void findWay(), [from, to]);
  const send = async (): Promise<void> => {
    setTried(true);
    if (busy || !vehicle.trim() || !from || !to || from === to) return;
    setBusy(true);
    const made = await orderMission({ vehicle: vehicle.trim(), from_edge: from, to_edge: to, kind, urgency, simulate, reason: reason.trim() });
    setBusy(false);
    if (made !== null) {
      sent.current = true;
      startDraft(null);
    }
    if (made) setKey(made);
    else if (made === '') onOrdered();
  };
  const missing = (edge: string | undefined): string => (tried && !edge ? words.required : '');
  return (
    <form
      class="mission-form"
      noValidate
      data-testid="order-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label class="stacked">
        <span class="caption">{words.vehicle}</span>
        <input
          ref={first}
          type="text"
          maxLength={80}
          value={vehicle}
          placeholder={words.vehicleHint}
          aria-invalid={tried && !vehicle.trim()}
          data-testid="order-vehicle"
          onInput={(event) => change({ vehicle: event.currentTarget.value })}
        />
        {tried && !vehicle.trim() && <span class="small error-text">{words.required}</span>}
        {twice && (
          <span class="small warn-text" role="status" data-testid="order-twice">
            {words.twice(vehicle.trim())}
          </span>
        )}
      </label>
      <label class="stacked">
        <span class="caption">{words.kind}</span>
        <select class="select" value={kind} data-testid="order-kind" onChange={(event) => change({ kind: event.currentTarget.value as MissionKind })}>
          {MISSION_KINDS.map((name) => (
            <option key={name} value={name}>
              {missionText.kind[name]}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="choices">
        <legend class="caption">{words.urgency}</legend>
        {URGENCIES.map((level) => (
          <label key={level}>
            <input type="radio" name="urgency" value={level} checked={urgency === level} data-testid={`order-urgency-${level}`} onChange={() => change({ urgency: level })} />
            {missionText.urgency[level]}
          </label>
        ))}
      </fieldset>
      <PlaceField field="from" label={words.from} complaint={missing(from)} />
      <PlaceField field="to" label={words.to} complaint={missing(to) || (tried && from !== undefined && from === to ? words.same : '')} />
      <p class="small way-note" role="status" data-testid="order-way">
        {from && to && (way ? words.way(formatDistance(way.length_m), formatDuration(way.time_s)) : noWay && <span class="error-text">{errorWords.said.noWay('', '')}</span>)}
      </p>
      <label class="stacked">
        <span class="caption">{words.reason}</span>
        <input type="text" maxLength={200} value={reason} data-testid="order-reason" onInput={(event) => change({ reason: event.currentTarget.value })} />
      </label>
      <label class="check" title={words.simulateHint}>
        <input type="checkbox" checked={simulate} data-testid="order-simulate" onChange={(event) => change({ simulate: event.currentTarget.checked })} />
        {words.simulate}
      </label>
      <p class="muted small">{words.simulateHint}</p>
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy} data-testid="order-submit">
          {words.submit}
        </button>
      </div>
      {key && (
        <KeyDialog
          missionKey={key}
          onClose={() => {
            setKey('');
            selectMission(getState().missionId);
            onOrdered();
          }}
        />
      )}
    </form>
  );
}

function KeyDialog({ missionKey, onClose }: { missionKey: string; onClose: () => void }): JSX.Element {
  const dialog = useModal();
  return (
    <dialog ref={dialog} aria-labelledby="key-title" data-testid="key-dialog" onCancel={onClose}>
      <h2 id="key-title">{missionText.form.keyTitle}</h2>
      <p>{missionText.form.keyExplain}</p>
      <code class="mission-key">{missionKey}</code>
      <div class="actions">
        <button type="button" class="button" onClick={() => void navigator.clipboard?.writeText(missionKey)}>
          {missionText.form.copy}
        </button>
        <button type="button" class="button primary" onClick={onClose}>
          {missionText.form.close}
        </button>
      </div>
    </dialog>
  );
}
