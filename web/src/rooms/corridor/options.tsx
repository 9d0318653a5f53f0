/** What of the corridor is shown: directions, layers, how long, how fast the progression, now or held. */

import type { JSX } from 'preact';
import { formatSpeed } from '../../format';
import { go } from '../../state/route';
import { useStore } from '../../state/store';
import { isoOf } from '../then/api';
import type { Diagram } from './api';
import type { Shown } from './draw';
import { corridorText as text } from './text';

const MINUTES = [5, 10, 20, 30];
const SPEEDS_KMH = [30, 40, 50, 60];

interface Props {
  diagram: Diagram | null;
  shown: Shown;
  setShown: (shown: Shown) => void;
  item: string;
  query: Readonly<Record<string, string>>;
  minutes: number;
  speedMps: number | null;
  end: string | null;
}

export function Options({ diagram, shown, setShown, item, query, minutes, speedMps, end }: Props): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const change = (name: string, value: string | null): void => {
    const { [name]: _, ...others } = query;
    go('corridor', item, value === null ? others : { ...others, [name]: value }, true);
  };
  const toggle = (name: keyof Shown, label: string): JSX.Element => (
    <button type="button" class={shown[name] ? 'active' : ''} aria-pressed={shown[name]} data-testid={`corridor-${name}`} onClick={() => setShown({ ...shown, [name]: !shown[name] })}>
      <span class="clip" title={label}>
        {label}
      </span>
    </button>
  );
  const first = diagram?.forward.stops[0];
  const last = diagram?.forward.stops.at(-1);
  return (
    <div class="corridor-options">
      <div class="segments" role="group" aria-label={text.directions}>
        {toggle('forward', text.forward(last?.name || last?.junction || 'B'))}
        {diagram?.back && toggle('back', text.back(first?.name || first?.junction || 'A'))}
      </div>
      <div class="segments" role="group" aria-label={text.layers}>
        {toggle('bands', text.bands)}
        {toggle('tracks', text.tracks)}
      </div>
      <label>
        <span class="caption">{text.minutes}</span>
        <select class="select" value={String(minutes)} data-testid="corridor-minutes" onChange={(event) => change('minutes', event.currentTarget.value)}>
          {MINUTES.map((one) => (
            <option key={one} value={String(one)}>
              {text.lastMinutes(one)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="caption">{text.speed}</span>
        <select class="select" value={speedMps === null ? '' : speedMps.toFixed(2)} data-testid="corridor-speed" onChange={(event) => change('speed', event.currentTarget.value || null)}>
          <option value="">{text.limits}</option>
          {SPEEDS_KMH.map((kmh) => (
            <option key={kmh} value={(kmh / 3.6).toFixed(2)}>
              {formatSpeed(kmh / 3.6)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="button" disabled={!diagram} data-testid="corridor-hold" onClick={() => change('end', end || !diagram ? null : isoOf(epoch, diagram.end_s))}>
        {end ? text.goOn : text.pause}
      </button>
      <button
        type="button"
        class="button"
        disabled={!diagram}
        data-testid="corridor-replay"
        onClick={() => diagram && go('then', '', { from: isoOf(epoch, diagram.start_s), to: isoOf(epoch, diagram.end_s), at: isoOf(epoch, diagram.start_s), speed: '5' })}
      >
        {text.replay}
      </button>
    </div>
  );
}
