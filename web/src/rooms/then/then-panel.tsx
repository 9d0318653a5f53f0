/** The room: beside the map what the figures were and what happened; on the map the bar (bar.tsx). */

import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from '../../api/client';
import { formatClock, formatTenth, formatWhole } from '../../format';
import { UNKNOWN_U16 } from '../../live/frame';
import { selectJunction } from '../../state/actions';
import { getRoute, go, HOME } from '../../state/route';
import { getState, setState, useStore } from '../../state/store';
import { personWords } from '../../state/takeovers';
import { words as ledgerWords } from '../../ledger/text';
import { SERIES, type HeldStretch, type Mark, type SeriesName } from './api';
import { Bar } from './bar';
import { describeMark, heldAt, markGroup, nearestJunction, valueAt } from './model';
import { listenToKeys } from './keys';
import { LONGEST_WINDOW_S, Player } from './player';
import { junctionName, setThen, useThen } from './store';
import { text as page } from '../../text';
import { thenText as text } from './text';
import { Icon } from '../../ui/icon';
import './then.css';

/** Of a day, in 24 hours whatever the browser prefers. */
const CLOCK = '([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?';
const DECIMALS: Record<SeriesName, 0 | 1> = { delay_s: 1, throughput_veh_per_h: 0, queue_veh: 0, vehicles: 0, stopped: 0 };

export function ThenPanel(): JSX.Element {
  const city = useStore((s) => s.city);
  const map = useStore((s) => s.map);
  const [player, setPlayer] = useState<Player | null>(null);
  useEffect(() => {
    if (!city || !map) return undefined;
    const made = new Player(city.epoch);
    setPlayer(made);
    const slot = document.querySelector('[data-slot="map"]');
    const place = document.createElement('div');
    slot?.append(place);
    render(<Bar player={made} />, place);
    document.documentElement.dataset['past'] = 'yes';
    map.pickPoint((x, y) => chooseNear(made, x, y));
    const deaf = listenToKeys(made);
    const focus = (): void => place.querySelector<HTMLElement>('[role="slider"]')?.focus({ preventScroll: true });
    focus(); // so that Space plays, and does not enter again
    // as after a click on one of the room's buttons; who comes to them by keys stays there
    const clicked = (event: MouseEvent): void => {
      if (event.detail > 0 && event.target instanceof Element && event.target.closest('.then button, .then-bar button, .then-nothing button')) focus();
    };
    document.addEventListener('click', clicked);
    void made.start();
    return () => {
      deaf();
      document.removeEventListener('click', clicked);
      map.pickPoint(null);
      delete document.documentElement.dataset['past'];
      render(null, place);
      place.remove();
      made.end();
      // the panel was closed: what is on the map is the present again, and the address says so
      if (getRoute().room === 'then') go(HOME);
    };
  }, [city, map]);
  if (!player) return <p class="muted room-loading">{text.loading}</p>;
  return (
    <div class="then" data-testid="then">
      <Rings />
      <Window player={player} />
      <Figures />
      <Junction />
      <Marks player={player} />
      <Notes />
    </div>
  );
}

function chooseNear(player: Player, x: number, y: number): void {
  const { geometry, map } = getState();
  if (!geometry || !map) return;
  const reachM = 4e7 / (512 * 2 ** map.map.getZoom()) * 16;
  setThen({ junction: nearestJunction(geometry.junctions, x, y, Math.max(25, reachM)) });
  player.address();
}

function Window({ player }: { player: Player }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const presentS = useStore((s) => Math.floor((s.snapshot?.time_s ?? s.timeS) / 10) * 10);
  const [from, to] = [useThen((s) => s.fromS), useThen((s) => s.toS)];
  const replay = useThen((s) => s.replay);
  const [bad, setBad] = useState(false);
  const show = (fromS: number, toS: number): void => {
    const fits = Number.isFinite(fromS) && Number.isFinite(toS) && toS > fromS && toS - fromS <= LONGEST_WINDOW_S;
    setBad(!fits);
    if (fits) player.setWindow(fromS, toS);
  };
  const first = replay?.spans[0];
  return (
    <section aria-labelledby="then-window">
      <header>
        <h2 id="then-window">{text.window}</h2>
      </header>
      <form
        class="then-window"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          show(clockOf(epoch, from, String(form.get('from'))), clockOf(epoch, to, String(form.get('to'))));
        }}
      >
        <label>
          <span class="caption">{text.from}</span>
          <input key={from} name="from" inputMode="numeric" pattern={CLOCK} required defaultValue={formatClock(epoch, from)} data-testid="then-from" />
        </label>
        <label>
          <span class="caption">{text.to}</span>
          <input key={to} name="to" inputMode="numeric" pattern={CLOCK} required defaultValue={formatClock(epoch, to)} data-testid="then-to" />
        </label>
        <button type="submit" class="button" data-testid="then-show">
          {text.show}
        </button>
      </form>
      {bad && <p class="small error-text" role="alert">{text.badWindow}</p>}
      {replay && replay.kept_hours === 0 && <p class="card notice small" data-testid="then-not-kept">{text.notKept}</p>}
      {replay && replay.kept_hours > 0 && !first && <p class="card notice small">{text.nothingYet}</p>}
      {replay && !replay.recording && replay.kept_hours > 0 && <p class="small error-text" role="alert">{text.notRecording(replay.last_error)}</p>}
      <p class="then-quick">
        {[5, 10, 30, 60].map((minutes) => (
          <button key={minutes} type="button" class="link" data-testid={`then-last-${minutes}`} onClick={() => show(presentS - 60 * minutes, presentS)}>
            {text.last(minutes)}
          </button>
        ))}
        {first && (
          <button
            type="button"
            class="link"
            onClick={() => show(Math.max(presentS - LONGEST_WINDOW_S, (Date.parse(first.start) - Date.parse(epoch)) / 1000), presentS)}
          >
            {text.all}
          </button>
        )}
      </p>
    </section>
  );
}

/** The instant nearest to `nearS` at which the city's clock shows that. */
function clockOf(epoch: string, nearS: number, clock: string): number {
  const parts = clock.split(':').map(Number);
  const shown = formatClock(epoch, nearS).split(':').map(Number);
  const day = (hours: number[]): number => (hours[0] ?? Number.NaN) * 3600 + (hours[1] ?? 0) * 60 + (hours[2] ?? 0);
  const apart = day(parts) - day(shown);
  return Math.floor(nearS) + apart - 86_400 * Math.round(apart / 86_400);
}

function Figures(): JSX.Element {
  const strip = useThen((s) => s.strip);
  const atS = useThen((s) => Math.floor(s.atS));
  const now = useStore((s) => s.snapshot?.indicators ?? null);
  const queueNow = useStore((s) => s.snapshot?.junction_queue_veh.reduce<number>((sum, one) => sum + (one ?? 0), 0) ?? null);
  const present: Record<SeriesName, number | null> = {
    delay_s: now?.mean_delay_s ?? null,
    throughput_veh_per_h: now?.throughput_veh_per_h ?? null,
    queue_veh: queueNow,
    vehicles: now?.vehicles ?? null,
    stopped: now?.stopped ?? null,
  };
  const shown = (value: number | null, name: SeriesName): string => (value === null ? '–' : DECIMALS[name] ? formatTenth(value) : formatWhole(value));
  return (
    <section aria-labelledby="then-figures">
      <header>
        <h2 id="then-figures">{text.figures}</h2>
      </header>
      <table class="then-figures" data-testid="then-figures">
        <thead>
          <tr>
            <td />
            <th scope="col" class="then-word">{text.then}</th>
            <th scope="col">{text.now}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {SERIES.map((name) => (
            <tr key={name}>
              <th scope="row" title={text.seriesHint[name]}>
                {text.series[name]}
              </th>
              <td class="then-value" data-testid={`then-${name}`}>{shown(strip && valueAt(strip, name, atS), name)}</td>
              <td class="muted">{shown(present[name], name)}</td>
              <td class="muted small">{text.units[name]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Ids of a junction's stages, in the order in which frames count them. */
function useStages(id: string): readonly string[] {
  const [stages, setStages] = useState<readonly string[]>([]);
  useEffect(() => {
    let gone = false;
    setStages([]);
    if (id) void api.junction(id).then((found) => !gone && setStages(found.stages.map((one) => one.id)), () => undefined);
    return () => {
      gone = true;
    };
  }, [id]);
  return stages;
}

const NOBODY: HeldStretch[] = [];

/** Rings on the map around what was held by hand then. */
function Rings(): null {
  const overrides = useThen((s) => s.strip?.overrides ?? NOBODY);
  const held = useThen((s) => heldAt(overrides, s.atS).map((one) => one.junction).join('\n'));
  useEffect(() => {
    setState({ pastOverrides: held ? held.split('\n').map((junction) => ({ junction })) : [] });
  }, [held]);
  useEffect(() => () => setState({ pastOverrides: null }), []);
  return null;
}

/** Who held it then: an operator by name, until when and why; else how its controller ran. */
function HeldBy({ id, mode }: { id: string; mode: number | undefined }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const overrides = useThen((s) => s.strip?.overrides ?? NOBODY);
  const atS = useThen((s) => Math.floor(s.atS));
  const [held] = heldAt(overrides, atS).filter((one) => one.junction === id);
  return (
    <p class={`then-held ${held ? 'by-hand' : ''}`} data-testid="then-held">
      {held ? (
        <>
          <b>{text.heldBy(personWords(held.actor), formatClock(epoch, held.from_s), formatClock(epoch, held.until_s))}</b>
          <span>
            {ledgerWords.action[held.action]?.(page.junction.stageOf(held.stage)) ?? held.action}
            {held.reason && ledgerWords.why(held.reason)}
          </span>
        </>
      ) : (
        <span>
          {page.junction.mode}: {page.mode[MODES[mode ?? -1] ?? ''] ?? page.modeUnknown}
        </span>
      )}
    </p>
  );
}

/** As the frame counts them (city/signals.py). */
const MODES = ['startup', 'local', 'central', 'manual', 'forced', 'flashing', 'program'];

function Junction(): JSX.Element {
  const row = useThen((s) => s.junction);
  useThen((s) => Math.floor(s.atS)); // drawn again as the moment moves
  const geometry = useStore((s) => s.geometry);
  const junction = row === null ? undefined : geometry?.junctions[row];
  const map = useStore((s) => s.map);
  const stages = useStages(junction?.id ?? '');
  if (row === null || !junction) return <p class="muted small then-hint">{text.chooseJunction}</p>;
  const tenths = (value: number | undefined): string => (value === undefined || value === UNKNOWN_U16 ? '–' : formatTenth(value / 10));
  const stage = map?.frame?.stage[row] ?? -1;
  return (
    <section aria-label={text.junction} data-testid="then-junction">
      <header>
        <h2>{junction.name || junction.id}</h2>
        <button type="button" class="link" onClick={() => { go(HOME); selectJunction(row); }}>
          {text.goThere}
        </button>
      </header>
      <dl class="facts">
        <div>
          <dt>{text.delay}</dt>
          <dd>{text.seconds(tenths(map?.frame?.delay[row]))}</dd>
        </div>
        <div>
          <dt>{text.queue}</dt>
          <dd>{text.vehicles(tenths(map?.frame?.queue[row]))}</dd>
        </div>
        <div>
          <dt>{text.stage}</dt>
          <dd>{stages[stage] ?? '–'}</dd>
        </div>
      </dl>
      <HeldBy id={junction.id} mode={map?.frame?.mode[row]} />
    </section>
  );
}

const MOST_LISTED = 100;
const NONE: Mark[] = [];

function Marks({ player }: { player: Player }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const marks = useThen((s) => s.strip?.marks ?? NONE);
  const loaded = useThen((s) => s.strip !== null);
  const passed = useThen((s) => s.strip?.marks.filter((mark) => mark.time_s <= s.atS).length ?? 0);
  return (
    <section aria-labelledby="then-marks">
      <header>
        <h2 id="then-marks">{text.marks}</h2>
        {marks.length > 0 && <span class="count">{marks.length}</span>}
        <div class="spacer" />
        {marks.length > 0 && (
          <span class="tools">
            <button type="button" class="icon" aria-label={text.markBefore} title={text.withKey(text.markBefore, 'PgUp')} data-testid="then-mark-before" onClick={() => player.toMark(-1)}>
              <Icon name="step_back" />
            </button>
            <button type="button" class="icon" aria-label={text.markAfter} title={text.withKey(text.markAfter, 'PgDn')} data-testid="then-mark-after" onClick={() => player.toMark(1)}>
              <Icon name="step_on" />
            </button>
          </span>
        )}
      </header>
      {loaded && marks.length === 0 && <p class="muted">{text.noMarks}</p>}
      <ul class="then-marks" data-testid="then-marks">
        {marks.slice(-MOST_LISTED).map((mark, k) => (
          <li key={`${mark.kind}-${mark.time_s}-${k}`}>
            <button type="button" class={`moment ${k < passed ? '' : 'to-come'}`} onClick={() => { player.seek(mark.time_s); player.address(); }}>
              <i class={`then-mark ${markGroup(mark)}`} role="img" aria-label={text.kinds[markGroup(mark)]} title={text.kinds[markGroup(mark)]} />
              <time>{formatClock(epoch, mark.time_s)}</time>
              <span>{describeMark(mark, junctionName)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Notes(): JSX.Element {
  const replay = useThen((s) => s.replay);
  return (
    <section>
      <h3>{text.keys}</h3>
      <dl class="then-keys">
        {text.keyList.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {replay && replay.kept_hours > 0 && <p class="muted small then-note">{text.kept(formatWhole(replay.kept_hours))}</p>}
    </section>
  );
}

