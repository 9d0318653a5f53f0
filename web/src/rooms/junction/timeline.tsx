/** What each signal group showed over the past five minutes; what is planned next; the local plan beside it. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JunctionDetail } from '../../api/types';
import { formatClock } from '../../format';
import { css, lampColour, PALETTES } from '../../map/palette';
import { useStore } from '../../state/store';
import { text } from '../../text';
import type { Recent, Stretch } from './api';
import { AHEAD_S, localStages } from './model';
import { useStageName, type StageName } from './naming';
import { aheadSteps, pastOf, timeScale } from './planned';
import { junctionStore } from './store';
import { words } from './text';
import { AheadGround, ExpectedMissions, Hatches, PlannedLamps, PlannedStages, PlannedWords } from './timeline-ahead';

const ROW = 17;
const HEAD = 16;
const NAMES = 92;

/** Width of an element in CSS pixels, kept up to date. */
export function useWidth(least: number): [{ current: HTMLDivElement | null }, number] {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(least);
  useEffect(() => {
    if (!place.current) return undefined;
    const watch = new ResizeObserver(([entry]) => setWidth(Math.max(least, Math.floor(entry.contentRect.width))));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return [place, width];
}

export function Timeline({ detail }: { detail: JunctionDetail }): JSX.Element {
  const recent = junctionStore.use((s) => s.recent);
  const [place, width] = useWidth(300);
  const name = useStageName(detail);
  return (
    <section aria-labelledby="timeline-title">
      <h3 id="timeline-title">{words.timeline.title}</h3>
      <div ref={place} class="timeline" data-testid="junction-timeline">
        {recent && recent.until_s > recent.from_s ? <Chart detail={detail} recent={recent} width={width} name={name} /> : <p class="muted small">{words.timeline.empty}</p>}
      </div>
      {recent && <PlannedWords planned={recent.planned} now={recent.until_s} name={name} />}
      <p class="muted small">
        {words.timeline.keys.green} · {words.timeline.keys.yellow} · {words.timeline.keys.red} · {words.timeline.keys.planned}
      </p>
    </section>
  );
}

function Chart({ detail, recent, width, name }: { detail: JunctionDetail; recent: Recent; width: number; name: StageName }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const palette = PALETTES[useStore((s) => s.theme)];
  const now = recent.until_s;
  const past = pastOf(width);
  const [from, until] = [now - past, now + AHEAD_S];
  const x = timeScale(now, NAMES, width - NAMES, past);
  const minutes = Array.from({ length: 6 }, (_, k) => Math.ceil(from / 60) * 60 + 60 * k).filter((minute) => x(minute) <= x(now) - LABEL_PX);
  const height = HEAD + ROW * (recent.groups.length + 2) + 6;
  const bottom = height - 4;
  return (
    <svg width={width} height={height} role="img" aria-label={words.timeline.label}>
      <Hatches />
      <AheadGround now={now} x={x} steps={aheadSteps(width - NAMES)} top={HEAD - 3} bottom={bottom} />
      {minutes.map((minute) => (
        <g key={minute} class="grid">
          <line x1={x(minute)} y1={HEAD - 3} x2={x(minute)} y2={bottom} />
          <text x={x(minute)} y={10} text-anchor="middle">
            {formatClock(epoch, minute).slice(0, 5)}
          </text>
        </g>
      ))}
      <StageRow name={words.timeline.stage} y={HEAD} stretches={recent.stages} x={x} say={name} />
      <PlannedStages planned={recent.planned} x={x} y={HEAD} high={ROW} name={name} />
      {recent.groups.map(({ group, lamps }, row) => (
        <g
          key={group}
          class="lamp-row"
          onMouseEnter={() => junctionStore.set({ pointed: row })}
          onMouseLeave={() => junctionStore.set({ pointed: -1 })}
        >
          <rect x={0} y={HEAD + ROW * (row + 1)} width={width} height={ROW} fill="transparent" />
          <text x={0} y={HEAD + ROW * (row + 1) + 12}>
            {clip(group)}
            <title>{group}</title>
          </text>
          {lamps.map((lamp) => (
            <Lamp key={lamp.from_s} group={group} lamp={lamp} y={HEAD + ROW * (row + 1)} x={x} colour={css(lampColour(palette, lamp.value.charCodeAt(0)))} epoch={epoch} />
          ))}
          <PlannedLamps detail={detail} planned={recent.planned} group={row} x={x} y={HEAD + ROW * (row + 1) + ROW / 2} palette={palette} />
        </g>
      ))}
      <g class="local-row">
        <StageRow
          name={words.timeline.local}
          hint={words.timeline.localHint}
          y={HEAD + ROW * (recent.groups.length + 1) + 4}
          stretches={localStages(detail.local_plan, Math.max(from, recent.from_s), until)}
          x={x}
          say={name}
        />
      </g>
      <ExpectedMissions planned={recent.planned} now={now} x={x} top={HEAD - 3} bottom={bottom} />
      <line class="now-line" x1={x(now)} y1={HEAD - 3} x2={x(now)} y2={bottom} />
      <text class="now-name" x={x(now)} y={10} text-anchor="middle">
        {words.timeline.now}
      </text>
    </svg>
  );
}

/** Two times beside each other are this far apart at least. */
const LABEL_PX = 36;

const clip = (name: string): string => (name.length > 14 ? `${name.slice(0, 13)}…` : name);

function StageRow({ name, hint, y, stretches, x, say }: { name: string; hint?: string; y: number; stretches: Stretch[]; x: (timeS: number) => number; say: StageName }): JSX.Element {
  return (
    <g class="stage-row">
      <text x={0} y={y + 12}>
        {clip(name)}
        {hint && <title>{hint}</title>}
      </text>
      {stretches
        .filter((stretch) => stretch.value && x(stretch.until_s) > x(stretch.from_s))
        .map((stretch) => {
          const [left, right] = [x(stretch.from_s), x(stretch.until_s)];
          return (
            <g key={stretch.from_s}>
              <rect x={left} y={y + 2} width={Math.max(1, right - left - 1)} height={ROW - 4} rx={2}>
                <title>{say(stretch.value)}</title>
              </rect>
              {right - left > 7 * stretch.value.length + 3 && (
                <text x={(left + right) / 2} y={y + 12.5} text-anchor="middle" class="stage-name">
                  {stretch.value}
                </text>
              )}
            </g>
          );
        })}
    </g>
  );
}

interface LampProps {
  group: string;
  lamp: Stretch;
  y: number;
  x: (timeS: number) => number;
  colour: string;
  epoch: string;
}

/** Height tells it too: green fills the row, yellow half of it with gaps, red is a line. */
function Lamp({ group, lamp, y, x, colour, epoch }: LampProps): JSX.Element | null {
  const [left, right] = [x(lamp.from_s), x(lamp.until_s)];
  if (right <= left) return null;
  const tall = lamp.value === 'G' ? 11 : lamp.value === 'g' ? 8 : 'yYu'.includes(lamp.value) ? 6 : 2;
  const seconds = String(Math.round(lamp.until_s - lamp.from_s));
  const said = text.lamp[lamp.value] ?? text.lampUnknown;
  return (
    <rect x={left} y={y + (ROW - tall) / 2} width={right - left} height={tall} fill={colour} class={`lamp-bar lamp-${lamp.value}`}>
      <title>{words.timeline.span(group, said, formatClock(epoch, lamp.from_s), formatClock(epoch, lamp.until_s), seconds)}</title>
    </rect>
  );
}
