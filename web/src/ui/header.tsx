/** The bar at the top: which city, what time, how fast, who is in control, and whether the data is fresh. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatClock, formatTenth, formatWhole, formatZone, sentence, zoneName } from '../format';
import { changeControl, changeTwin, switchBrain } from '../state/actions';
import { UserMenu } from '../login/user-menu';
import { useAgeS } from '../state/freshness';
import { setState, useStore } from '../state/store';
import { useMay } from '../state/user';
import { text } from '../text';
import { ReasonDialog } from './dialog';
import { Icon } from './icon';
import { Preferences } from './preferences';

const SPEEDS = [1, 2, 5, 10] as const;

export function Header(): JSX.Element {
  const city = useStore((s) => s.city);
  return (
    <header class="bar">
      <div class="brand">
        <Icon name="mark" />
        <div>
          <h1 data-testid="city-name">{city?.name ?? text.product}</h1>
          <p>{text.product}</p>
        </div>
      </div>
      <Clock />
      <SpeedControl />
      <ControlChooser />
      <BrainSwitch />
      <div class="spacer" />
      <Connection />
      <Preferences />
      <UserMenu />
      <ThemeButton />
      <PanelButton />
    </header>
  );
}

function Clock(): JSX.Element {
  const clock = useStore((s) => (s.city && Number.isFinite(s.timeS) ? formatClock(s.city.epoch, s.timeS) : '––:––:––'));
  const run = useStore((s) => s.snapshot?.twin?.run ?? 0);
  const city = useStore((s) => s.city);
  // an offset changes at quarter hours at the most
  const quarter = useStore((s) => (Number.isFinite(s.timeS) ? Math.floor(s.timeS / 900) : null));
  const zone = city && { epoch: city.epoch, name: formatZone(city.epoch, quarter === null ? city.begin_s : quarter * 900) };
  return (
    <div class="clock">
      <time aria-label={text.clock.label} data-testid="clock">
        {clock}
      </time>
      {zone && (
        <span class="caption" title={text.clock.zone(zoneName(zone.epoch))} data-testid="zone">
          {text.clock.city} <b>{zone.name}</b>
        </span>
      )}
      {run > 0 && <span class="caption">{text.clock.run(run)}</span>}
    </div>
  );
}

function SpeedControl(): JSX.Element {
  const may = useMay('operator');
  const twin = useStore((s) => s.snapshot?.twin ?? null);
  const measured = useStore((s) => Math.round(s.measuredSpeed * 10) / 10);
  const paused = twin?.paused ?? false;
  const options = [...SPEEDS, 0];
  const state = !twin
    ? text.indicators.unknown
    : paused
      ? text.speed.paused
      : text.speed.measured(measured >= 9.95 ? formatWhole(measured) : formatTenth(measured));
  return (
    <div class="field" role="group" aria-label={text.speed.label}>
      <span class="caption" title={text.speed.twinAbout} data-testid="twin-tag">
        {text.speed.twin}
      </span>
      <div class="segments">
        <button
          type="button"
          class={paused ? 'active' : ''}
          aria-pressed={paused}
          aria-label={paused ? text.speed.resume : text.speed.pause}
          title={paused ? text.speed.resume : text.speed.pause}
          disabled={!twin || !may}
          data-testid="pause"
          onClick={() => void changeTwin({ paused: !paused })}
        >
          <Icon name={paused ? 'play' : 'pause'} />
        </button>
        {options.map((factor) => {
          const active = !paused && twin?.speed === factor;
          return (
            <button
              key={factor}
              type="button"
              class={active ? 'active' : ''}
              aria-pressed={active}
              disabled={!twin || !may}
              data-testid={`speed-${factor}`}
              onClick={() => void changeTwin({ paused: false, speed: factor })}
            >
              {factor === 0 ? text.speed.max : text.speed.times(factor)}
            </button>
          );
        })}
      </div>
      <span class="caption measured" data-testid="measured-speed">
        {state}
      </span>
    </div>
  );
}

function ControlChooser(): JSX.Element {
  const may = useMay('operator');
  const controls = useStore((s) => s.controls);
  const current = useStore((s) => s.snapshot?.control ?? s.controls?.current ?? '');
  const [wanted, setWanted] = useState<string | null>(null);
  const names = controls?.available ?? [];
  return (
    <label class="field">
      <span class="caption">{text.control.label}</span>
      <select
        class="select"
        value={current}
        disabled={names.length === 0 || !may}
        data-testid="control"
        title={names.find((control) => control.name === current)?.summary}
        onChange={(event) => {
          const name = event.currentTarget.value;
          event.currentTarget.value = current; // stays until the server has agreed
          setWanted(name);
        }}
      >
        {!names.some((control) => control.name === current) && <option value={current}>{current}</option>}
        {names.map((control) => (
          <option key={control.name} value={control.name} title={control.summary}>
            {control.name}
          </option>
        ))}
      </select>
      {wanted !== null && (
        <ReasonDialog
          title={text.control.change(wanted)}
          explain={[names.find((control) => control.name === wanted)?.summary, text.control.explain]
            .filter(Boolean)
            .map((line) => sentence(line ?? ''))
            .join(' ')}
          onCancel={() => setWanted(null)}
          onConfirm={(reason) => {
            setWanted(null);
            void changeControl(wanted, reason);
          }}
        />
      )}
    </label>
  );
}

function BrainSwitch(): JSX.Element {
  const may = useMay('operator');
  const snapshot = useStore((s) => s.snapshot);
  const controls = useStore((s) => s.controls);
  const [asking, setAsking] = useState(false);
  const chosen = controls?.available.find((control) => control.name === snapshot?.control);
  const name = chosen?.brain || snapshot?.brains[0]?.name || '';
  const used = !chosen || chosen.program === 'central';
  const on = used && (snapshot?.brain_on ?? false);
  const label = `${text.brain.label} ${on ? text.brain.on : text.brain.off}`;
  return (
    <div class="field">
      <span class="caption" id="brain-label">
        {text.brain.label}
      </span>
      <button
        type="button"
        role="switch"
        class={`switch ${on ? 'on' : ''}`}
        aria-checked={on}
        aria-label={label}
        title={used ? (on ? text.brain.switchOff : text.brain.switchOn) : text.brain.none}
        disabled={!snapshot || !name || !used || !may}
        data-testid="brain-switch"
        onClick={() => setAsking(true)}
      >
        <span class="knob" />
        <span class="word">{on ? text.brain.on : text.brain.off}</span>
      </button>
      {asking && (
        <ReasonDialog
          title={on ? text.brain.switchOff : text.brain.switchOn}
          explain={on ? text.brain.explainOff : text.brain.explainOn}
          onCancel={() => setAsking(false)}
          onConfirm={(reason) => {
            setAsking(false);
            void switchBrain(name, !on, reason);
          }}
        />
      )}
    </div>
  );
}

function Connection(): JSX.Element {
  const socket = useStore((s) => s.connection);
  const frameAgeS = useStore((s) => s.ageS);
  const stateAgeS = useAgeS();
  // frames may still come although the brain is silent: that is not live
  const connection = socket === 'live' && stateAgeS ? 'stale' : socket;
  const ageS = socket === 'stale' ? Math.max(frameAgeS, stateAgeS) : stateAgeS;
  const words =
    connection === 'live'
      ? text.connection.live
      : connection === 'stale'
        ? text.connection.stale(ageS)
        : connection === 'reconnecting'
          ? text.connection.reconnecting
          : text.connection.connecting;
  return (
    <span class={`pill connection ${connection}`} role="status" aria-label={text.connection.label} data-testid="connection" data-state={connection}>
      <span class="dot" />
      {words}
    </span>
  );
}

function ThemeButton(): JSX.Element {
  const theme = useStore((s) => s.theme);
  const label = theme === 'dark' ? text.theme.toLight : text.theme.toDark;
  return (
    <button type="button" class="icon" aria-label={label} title={label} data-testid="theme" onClick={() => setState({ theme: theme === 'dark' ? 'light' : 'dark' })}>
      <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
    </button>
  );
}

function PanelButton(): JSX.Element {
  const open = useStore((s) => s.panelOpen);
  const label = open ? text.panel.hide : text.panel.show;
  return (
    <button type="button" class="icon" aria-label={label} title={label} aria-expanded={open} aria-controls="panel" data-testid="panel-toggle" onClick={() => setState({ panelOpen: !open })}>
      <Icon name="panel" />
    </button>
  );
}
