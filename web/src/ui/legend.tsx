/** What can be seen on the map, to be switched on and off, with what the colours mean at the zoom at hand. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { drawsPast, switchLayer, useLayers, type LegendKey, type MapLayer } from '../map/layers';
import { HEADS_ZOOM } from '../map/own-layers';
import { css, DELAY_STEPS_S, PALETTES } from '../map/palette';
import { useStore } from '../state/store';
import { text } from '../text';
import { Icon } from './icon';
import './legend.css';

const OPEN_KEY = 'civicbrain-legend';

/** As somebody left it; before that, open where it covers no part of the city. */
function startsOpen(): boolean {
  const kept = localStorage.getItem(OPEN_KEY);
  return kept ? kept === 'open' : window.innerWidth >= 1440 && window.innerHeight >= 900;
}

export function Legend(): JSX.Element {
  const layers = useLayers();
  const past = useStore((s) => s.pastOverrides !== null);
  const [open, setOpen] = useState(startsOpen);
  const toggle = (): void => {
    localStorage.setItem(OPEN_KEY, open ? 'closed' : 'open');
    setOpen(!open);
  };
  return (
    <section class="legend" aria-label={text.legend.label} data-testid="legend">
      <button type="button" class="legend-title" aria-expanded={open} data-testid="legend-toggle" onClick={toggle}>
        <Icon name="layers" />
        {text.legend.label}
      </button>
      {open && layers.filter(({ layer }) => !past || drawsPast(layer)).map(({ layer, on }) => <Entry key={layer.id} layer={layer} on={on} />)}
    </section>
  );
}

function Entry({ layer, on }: { layer: MapLayer; on: boolean }): JSX.Element {
  const zoom = useStore((s) => s.zoom);
  useStore((s) => s.theme); // keys are colours
  const keys = on ? (layer.keys?.(zoom) ?? []) : [];
  const ramp = layer.id === 'junctions' && on && zoom < HEADS_ZOOM;
  return (
    <div class={`layer ${on ? '' : 'off'}`}>
      <label class="layer-switch">
        <input
          type="checkbox"
          role="switch"
          checked={on}
          data-testid={`layer-${layer.id}`}
          onChange={(event) => switchLayer(layer.id, event.currentTarget.checked)}
        />
        {layer.label}
      </label>
      {ramp && <DelayRamp />}
      {keys.length > 0 && (
        <ul class="keys">
          {keys.map((key) => (
            <Key key={key.label} legend={key} />
          ))}
        </ul>
      )}
    </div>
  );
}

function DelayRamp(): JSX.Element {
  const palette = PALETTES[useStore((s) => s.theme)];
  const ramp = palette.delay.map((colour, step) => `${css(colour)} ${(100 * step) / (palette.delay.length - 1)}%`).join(', ');
  return (
    <>
      <div class="ramp" style={{ background: `linear-gradient(to right, ${ramp})` }} />
      <div class="ticks">
        {DELAY_STEPS_S.map((step, k) => (
          <span key={step}>{k === DELAY_STEPS_S.length - 1 ? `${step}+` : step}</span>
        ))}
      </div>
    </>
  );
}

function Key({ legend: { shape, colour, label } }: { legend: LegendKey }): JSX.Element {
  return (
    <li>
      {typeof shape === 'string' ? <Sample shape={shape} colour={colour} /> : <Polygon corners={shape} colour={colour} />}
      {label}
    </li>
  );
}

const HOLLOW: ReadonlySet<string> = new Set(['ring', 'numbered']);

const Sample = ({ shape, colour }: { shape: string; colour: string }): JSX.Element => (
  <span class={`key ${shape}`} aria-hidden="true" style={HOLLOW.has(shape) ? { borderColor: colour } : { background: colour }}>
    {shape === 'numbered' && '1'}
  </span>
);

const Polygon = ({ corners, colour }: { corners: readonly (readonly [number, number])[]; colour: string }): JSX.Element => (
  <svg class="key corners" viewBox="-1.2 -1.2 2.4 2.4" aria-hidden="true">
    <polygon points={corners.flat().join(' ')} fill={colour} />
  </svg>
);
