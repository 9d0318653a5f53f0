/** The side panel: one junction when one is chosen, else junctions by delay, alerts and brains. */

import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { BrainHealth, CityState } from '../api/types';
import { formatTenth, formatWhole } from '../format';
import { findRoom, layoutOf } from '../rooms/registry';
import { selectJunction } from '../state/actions';
import { useRoute } from '../state/route';
import { useStore } from '../state/store';
import { text } from '../text';
import { pointsAt } from '../now/points-at';
import { Worst } from '../now/worst';
import { Age } from './age';
import { Alerts } from './alerts';
import { inOrder, useHold } from './held';
import { RoomHost } from './room-host';

const LISTED = 8;

export function Panel(): JSX.Element | null {
  const open = useStore((s) => s.panelOpen);
  const room = findRoom(useRoute((route) => route.room));
  const query = useRoute((route) => route.query);
  const { held, keeps } = useHold();
  if (!open) return null;
  const wide = layoutOf(room, query) === 'panel';
  return (
    <aside id="panel" tabIndex={-1} class={`panel ${wide ? 'wide' : ''}`} aria-label={text.panel.label} data-testid="panel" {...keeps}>
      {room && wide ? (
        <RoomHost key={room.slug} room={room} />
      ) : (
        <>
          <Age />
          <Worst held={held} />
          <JunctionList held={held} />
          <Alerts held={held} />
          <Brains />
          <Controllers />
        </>
      )}
    </aside>
  );
}

interface Ranked {
  row: number;
  id: string;
  label: string;
  delay: number | null;
  queue: number | null;
}

function rank(snapshot: CityState | null, names: { id: string; label: string }[], query: string): Ranked[] {
  const wanted = query.trim().toLowerCase();
  const rows: Ranked[] = [];
  names.forEach(({ id, label }, row) => {
    if (wanted && !label.toLowerCase().includes(wanted)) return;
    rows.push({
      row,
      id,
      label,
      delay: snapshot?.junction_delay_s[row] ?? null,
      queue: snapshot?.junction_standing_veh[row] ?? null,
    });
  });
  return rows.sort((a, b) => (b.delay ?? -1) - (a.delay ?? -1) || a.row - b.row);
}

/** Rows in the order that they had as the hold began; another question is another list. */
function useHeldOrder(live: Ranked[], held: boolean, query: string): number[] {
  const kept = useRef<{ query: string; order: number[] }>({ query, order: [] });
  if (!held || kept.current.query !== query || kept.current.order.length !== live.length) kept.current = { query, order: live.map((entry) => entry.row) };
  return kept.current.order;
}

function JunctionList({ held }: { held: boolean }): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const snapshot = useStore((s) => s.snapshot);
  const [query, setQuery] = useState('');
  const names = useMemo(() => (geometry?.junctions ?? []).map(({ id, name }) => ({ id, label: name || id })), [geometry]);
  const live = rank(snapshot, names, query);
  const asked = query.trim();
  const order = useHeldOrder(live, held, asked);
  const rows = inOrder(live, order, (entry) => entry.row);
  const shown = rows.slice(0, LISTED);
  return (
    <section aria-labelledby="junctions-title">
      <header>
        <h2 id="junctions-title">{text.panel.junctions}</h2>
        <span class="caption" data-testid="junction-order">
          {held ? text.panel.held : text.panel.worstFirst}
        </span>
      </header>
      <input
        id="junction-search"
        class="search"
        type="search"
        placeholder={text.panel.search}
        aria-label={text.panel.search}
        value={query}
        data-testid="junction-search"
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && asked && shown.length) selectJunction(shown[0].row);
        }}
      />
      <p class="row row-head caption" aria-hidden="true">
        <span />
        <span class="number" title={text.junction.delayHint}>
          {text.junction.delay}
          <small>{text.indicators.delayUnit}</small>
        </span>
        <span class="number" title={text.panel.queueHint}>
          {text.panel.queue}
          <small>{text.panel.queueSpan}</small>
        </span>
      </p>
      <ul class="rows" data-testid="junction-list">
        {shown.map((entry) => (
          <li key={entry.row} {...pointsAt(entry.id)}>
            <button type="button" class="row" onClick={() => selectJunction(entry.row)}>
              <span class="name" title={entry.label}>
                {entry.label}
              </span>
              <span class="number">
                {entry.delay === null ? text.indicators.unknown : formatTenth(entry.delay)} <span class="for-readers">{text.indicators.delayUnit}</span>
              </span>
              <span class="number">
                {entry.queue === null ? text.indicators.unknown : formatTenth(entry.queue)} <span class="for-readers">{text.junction.vehicles}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {rows.length === 0 && <p class="muted">{text.panel.none}</p>}
      {rows.length > LISTED && <p class="muted small">{text.panel.more(rows.length - LISTED)}</p>}
      <p class="muted small">{text.panel.delayMeans}</p>
    </section>
  );
}

function Brains(): JSX.Element {
  const brains = useStore((s) => s.snapshot?.brains ?? NONE);
  return (
    <section aria-labelledby="brains-title">
      <header>
        <h2 id="brains-title">{text.panel.brains}</h2>
      </header>
      {brains.length === 0 && <p class="muted">{text.panel.noBrains}</p>}
      <ul class="brains" data-testid="brains">
        {brains.map((brain) => (
          <BrainEntry key={brain.name} brain={brain} />
        ))}
      </ul>
    </section>
  );
}

const NONE: BrainHealth[] = [];

const milliseconds = (value: number | null): string => (value === null ? text.indicators.unknown : formatTenth(value));

function BrainEntry({ brain }: { brain: BrainHealth }): JSX.Element {
  const budget = brain.budget_s === null ? text.indicators.unknown : formatWhole(brain.budget_s * 1000);
  const timing = text.brainDetail.timing(milliseconds(brain.last_ms), milliseconds(brain.p99_ms), budget); // for engineers, who ask
  const trouble = [
    brain.failures > 0 && text.brainDetail.failures(brain.failures),
    brain.state === 'backing-off' && brain.retry_in_s !== null && text.brainDetail.retry(formatWhole(brain.retry_in_s)),
  ]
    .filter(Boolean)
    .join(' · ');
  return (
    <li class={`brain ${brain.state}`} title={timing}>
      <p>
        <span class="name" title={brain.name}>{text.brainName[brain.name] ?? brain.name}</span>
        <span class={`state ${brain.state}`}>{text.brainState[brain.state] ?? brain.state}</span>
      </p>
      {trouble && <p class="muted small">{trouble}</p>}
      {brain.last_error && brain.state !== 'running' && <p class="small error-text">{brain.last_error}</p>}
    </li>
  );
}

function Controllers(): JSX.Element {
  const twin = useStore((s) => s.snapshot?.twin ?? null);
  const total = useStore((s) => s.city?.junction_count ?? 0);
  const entries: [string, string, boolean][] = twin
    ? [
        [text.panel.local, `${formatWhole(twin.local_junctions)} / ${formatWhole(total)}`, false],
        [text.panel.refused, formatWhole(twin.refused_requests), false],
        [text.panel.unsafe, formatWhole(twin.unsafe_states), twin.unsafe_states > 0],
      ]
    : [];
  return (
    <section aria-labelledby="controllers-title">
      <header>
        <h2 id="controllers-title">{text.panel.controllers}</h2>
      </header>
      <dl class="facts">
        {entries.map(([name, value, alarming]) => (
          <div key={name} class={alarming ? 'alarming' : ''}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
