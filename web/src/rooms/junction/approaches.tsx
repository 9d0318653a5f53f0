/** Queues and arrivals of each approach over the same five minutes, all on one scale. */

import type { JSX } from 'preact';
import { formatWhole, sentence } from '../../format';
import { compassOf } from '../../map/compass';
import { text } from '../../text';
import type { ApproachFigures } from './api';
import { total } from './model';
import { junctionStore } from './store';
import { words } from './text';
import { useWidth } from './timeline';

const HIGH = 44;
const BARS = 16;

export function Approaches(): JSX.Element | null {
  const approaches = junctionStore.use((s) => s.recent?.approaches ?? NONE);
  const [place, width] = useWidth(240);
  const most = Math.max(4, ...approaches.flatMap((one) => one.queue_veh.map((value) => value ?? 0)));
  const busiest = Math.max(2, ...approaches.flatMap((one) => [...one.arrived_veh, ...one.served_veh].map((value) => value ?? 0)));
  return (
    <section aria-labelledby="approaches-title">
      <h3 id="approaches-title">{words.approaches.title}</h3>
      <div ref={place} class="approaches" data-testid="junction-approaches">
        {approaches.length === 0 && <p class="muted small">{words.approaches.none}</p>}
        {approaches.map((one) => (
          <Approach key={one.approach} approach={one} width={width} most={most} busiest={busiest} />
        ))}
      </div>
      <ul class="keys approach-keys">
        <li>
          <span class="key area queue-key" /> {words.approaches.keyQueue}
        </li>
        <li>
          <span class="key came-key" /> {words.approaches.keyCame}
        </li>
        <li>
          <span class="key served-key" /> {words.approaches.keyServed}
        </li>
      </ul>
    </section>
  );
}

const NONE: ApproachFigures[] = [];

function Approach({ approach, width, most, busiest }: { approach: ApproachFigures; width: number; most: number; busiest: number }): JSX.Element {
  const lane = junctionStore.use((s) => s.plan?.lanes.find((one) => one.edge === approach.approach));
  const from = lane ? words.from[compassOf(lane.points)] : '';
  const name = [approach.name || approach.approach, from].filter(Boolean).join(', ');
  // an id says less than the direction: it stands behind it, and is cut first
  const [first, id] = approach.name || !from ? [name, ''] : [sentence(from).replace(/\.$/, ''), approach.approach];
  const groups = words.approaches.groups(approach.groups.join(' '));
  const steps = approach.queue_veh.length;
  const step = width / Math.max(steps, 33);
  const now = approach.now_veh ?? null;
  const came = total(approach.arrived_veh);
  const served = total(approach.served_veh);
  const y = (queue: number): number => HIGH - (queue / most) * (HIGH - 4);
  const bar = (value: number | null): number => ((value ?? 0) / busiest) * BARS;
  return (
    <div class="approach">
      <p class="approach-head">
        <b class="clip" title={name}>
          {first}
        </b>
        <span class="muted small clip" title={[groups, id].filter(Boolean).join(' · ')}>
          {[groups, id].filter(Boolean).join(' · ')}
        </span>
        <span class="approach-now">{now === null ? text.indicators.unknown : `${formatWhole(now)} ${text.junction.vehicles}`}</span>
      </p>
      {!approach.seen ? (
        <p class="muted small">{words.approaches.unseen}</p>
      ) : (
        <>
          <svg width={width} height={HIGH + BARS + 4} role="img" aria-label={words.approaches.label(name)}>
            <line class="floor" x1={0} y1={HIGH} x2={width} y2={HIGH} />
            {approach.storage_veh <= most && <line class="storage" x1={0} y1={y(approach.storage_veh)} x2={width} y2={y(approach.storage_veh)} />}
            {approach.queue_veh.map((queue, k) =>
              queue === null ? (
                <rect key={k} class="gap" x={k * step} y={0} width={step} height={HIGH} />
              ) : (
                <rect key={k} class="queue-step" x={k * step} y={y(queue)} width={step + 0.5} height={HIGH - y(queue)} />
              ),
            )}
            {approach.arrived_veh.map((value, k) => (
              <rect key={`a${k}`} class="came-bar" x={k * step + 0.5} y={HIGH + 3} width={step / 2 - 0.5} height={bar(value)} />
            ))}
            {approach.served_veh.map(
              (value, k) => bar(value) > 0 && <rect key={`s${k}`} class="served-bar" x={(k + 0.5) * step + 0.5} y={HIGH + 3.5} width={Math.max(1, step / 2 - 1.5)} height={Math.max(0.5, bar(value) - 1)} />,
            )}
          </svg>
          <p class="muted small">
            {came !== null && words.approaches.came(formatWhole(came))}
            {served !== null && ` · ${words.approaches.served(formatWhole(served))}`} · {words.approaches.room(formatWhole(approach.storage_veh))}
          </p>
        </>
      )}
    </div>
  );
}
