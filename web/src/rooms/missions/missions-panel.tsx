/** The missions beside the map: the list, one mission, a new one, or the dispatcher's question. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MissionBrief } from '../../api/mission-types';
import { go, useRoute } from '../../state/route';
import { getState, setState, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { whereIs } from '../../map/street-names';
import { streetsOf } from '../../map/streets';
import { missionText } from './text';
import { Icon } from '../../ui/icon';
import { selectMission } from './actions';
import { DispatchForm } from './dispatch-form';
import { MissionDetail } from './mission-detail';
import { formatDuration } from '../../format';
import { formatArrival, progress, sortMissions, wonShown } from './model';
import { hasDraft, OrderForm, startDraft } from './order-form';

const MOST_ENDED = 20;

type View = 'list' | 'order' | 'dispatch';

export function MissionsPanel(): JSX.Element {
  const chosen = useStore((s) => s.missionId);
  const [view, setView] = useState<View>(hasDraft() ? 'order' : 'list');
  const item = useRoute((route) => (route.room === 'missions' ? route.item : ''));
  useEffect(() => {
    if (!item) return; // a link, or somebody who follows a mission from elsewhere
    setView('list');
    if (item !== getState().missionId) selectMission(item);
  }, [item]);
  const toList = (): void => {
    if (item) go('missions', '', {}, true);
    setState({ picked: {}, choice: null });
    selectMission(null);
    if (view === 'order') startDraft(null); // given up, not left for another room
    setView('list');
  };
  if (view === 'order') {
    return (
      <Framed title={missionText.form.title} onBack={toList}>
        <OrderForm onOrdered={() => setView('list')} />
      </Framed>
    );
  }
  if (view === 'dispatch') {
    return (
      <Framed title={missionText.dispatch.title} onBack={toList}>
        <DispatchForm
          onSend={(start) => {
            setState({ picked: {} });
            startDraft(start);
            setView('order');
          }}
        />
      </Framed>
    );
  }
  if (chosen !== null) {
    return (
      <Framed onBack={toList}>
        <MissionDetail />
      </Framed>
    );
  }
  return <MissionList onOrder={() => setView('order')} onAsk={() => setView('dispatch')} />;
}

function Framed({ title, onBack, children }: { title?: string; onBack: () => void; children: JSX.Element }): JSX.Element {
  return (
    <div class="mission-part">
      <button type="button" class="link back" data-testid="missions-back" onClick={onBack}>
        <Icon name="back" />
        {missionText.back}
      </button>
      {title && <h2 class="part-title">{title}</h2>}
      {children}
    </div>
  );
}

const NONE: MissionBrief[] = [];

function MissionList({ onOrder, onAsk }: { onOrder: () => void; onAsk: () => void }): JSX.Element {
  const underWay = useStore((s) => s.snapshot?.missions ?? NONE);
  const ended = useStore((s) => s.ended);
  const operator = useMay('operator');
  const all = sortMissions(underWay, ended);
  const now = all.slice(0, underWay.length);
  const over = all.slice(underWay.length, underWay.length + MOST_ENDED);
  return (
    <div class="mission-part" data-testid="mission-list">
      <h2 class="part-title">{missionText.title}</h2>
      <div class="mission-actions">
        <button type="button" class="button primary" disabled={!operator} title={operator ? undefined : missionText.readOnly} data-testid="mission-new" onClick={onOrder}>
          {missionText.order}
        </button>
        <button type="button" class="button" data-testid="mission-ask" onClick={onAsk}>
          {missionText.ask}
        </button>
      </div>
      {now.length === 0 ? (
        <p class="muted">
          {missionText.none} {missionText.noneHint}
        </p>
      ) : (
        <ul class="missions" aria-label={missionText.underWay}>
          {now.map((brief) => (
            <Row key={brief.id} brief={brief} />
          ))}
        </ul>
      )}
      {over.length > 0 && (
        <>
          <h3 class="over-title">{missionText.over}</h3>
          <ul class="missions over" aria-label={missionText.over}>
            {over.map((brief) => (
              <Row key={brief.id} brief={brief} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Row({ brief }: { brief: MissionBrief }): JSX.Element {
  const nowS = useStore((s) => s.snapshot?.time_s ?? 0);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const over = brief.state === 'ended';
  const geometry = useStore((s) => s.geometry);
  const place = geometry && whereIs(brief.to_edge, geometry, streetsOf(geometry));
  const whither = place ? (place.name === brief.to_edge ? place.near || place.name : place.name) : '';
  const arrival = over
    ? brief.end === 'arrived' && brief.ended_s !== null
      ? missionText.arrived(formatDuration(brief.ended_s - brief.created_s))
      : ''
    : formatArrival(epoch, brief, nowS);
  return (
    <li>
      <button type="button" class="mission-row" data-testid={`mission-${brief.id}`} onClick={() => go('missions', brief.id)}>
        <span class="first-line">
          <b class="name">{brief.vehicle || brief.id}</b>
          <span class={`urgency u${brief.urgency}`}>{missionText.urgencyShort[brief.urgency]}</span>
          <span class={`mission-state ${stateClass(brief)}`}>{stateWord(brief)}</span>
        </span>
        <span class="second-line muted">
          <span>{missionText.kind[brief.kind] ?? brief.kind}</span>
          {whither && <span class="clip">{missionText.whither(whither)}</span>}
          {arrival && <span>{over ? arrival : `${missionText.eta} ${arrival}`}</span>}
          <Won brief={brief} />
        </span>
        {!over && <progress max={1} value={progress(brief)} aria-label={missionText.wayLabel} />}
      </button>
    </li>
  );
}

export function Won({ brief }: { brief: MissionBrief }): JSX.Element | null {
  if (brief.won_s === null || (brief.state === 'ended' && brief.end !== 'arrived')) return null;
  const won = brief.won_s >= 0;
  const over = brief.state === 'ended';
  const shown = formatDuration(wonShown(brief, brief.won_s));
  return (
    <span class={won ? 'verdict better' : 'verdict worse'} title={missionText.wonHint}>
      {over ? (won ? missionText.wonNow(shown) : missionText.lostNow(shown)) : won ? missionText.willWinNow(shown) : missionText.willLoseNow(shown)}
    </span>
  );
}

export const stateClass = (brief: MissionBrief): string => (brief.state === 'ended' && brief.end === 'arrived' ? 'arrived' : brief.state);

export const stateWord = (brief: MissionBrief): string =>
  brief.state === 'ended' ? (missionText.end[brief.end] ?? brief.end) : (missionText.state[brief.state] ?? brief.state);
