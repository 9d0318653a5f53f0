/** The part of the timeline after now: what is planned, hatched, with a pattern for each whose intention it is. */

import type { JSX } from 'preact';
import type { JunctionDetail } from '../../api/types';
import { formatClock } from '../../format';
import { deciderWords } from '../../ledger/sentence';
import { callSign } from '../../now/held-for';
import { css, lampColour, type Palette } from '../../map/palette';
import { useStore } from '../../state/store';
import { text } from '../../text';
import type { Planned, PlannedBy } from './api';
import { AHEAD_S } from './model';
import type { StageName } from './naming';
import { missionsOf, plannedLamps, stepsOf, stretchesOf } from './planned';
import { words } from './text';

/** Angle and width of the hatching; the same for one and the same intention everywhere. */
const HATCHES: Record<PlannedBy, { angle: number; step: number }> = {
  brain: { angle: 45, step: 5 },
  plan: { angle: 45, step: 8 },
  local: { angle: 90, step: 5 },
  override: { angle: 0, step: 4 },
  mission: { angle: -45, step: 4 },
  bus: { angle: -45, step: 8 },
};
/** Stages that the sentence names. */
const MOST_NAMED = 4;

type Scale = (timeS: number) => number;

export function Hatches(): JSX.Element {
  return (
    <defs>
      {Object.entries(HATCHES).map(([by, { angle, step }]) => (
        <pattern key={by} id={`by-${by}`} width={step} height={step} patternUnits="userSpaceOnUse" patternTransform={`rotate(${angle})`}>
          <line x1="0" y1="0" x2="0" y2={step} class={`hatch by-${by}`} />
        </pattern>
      ))}
    </defs>
  );
}

/** The ground after now, and how many seconds ahead. */
export function AheadGround({ now, x, steps, top, bottom }: { now: number; x: Scale; steps: number[]; top: number; bottom: number }): JSX.Element {
  return (
    <g class="grid ahead-grid">
      <rect x={x(now)} y={top} width={x(now + AHEAD_S) - x(now)} height={bottom - top} class="ahead-ground" />
      {steps.map((seconds) => (
        <g key={seconds}>
          <line x1={x(now + seconds)} y1={top} x2={x(now + seconds)} y2={bottom} />
          <text x={x(now + seconds)} y={10} text-anchor="middle">
            {words.timeline.ahead(String(seconds))}
          </text>
        </g>
      ))}
    </g>
  );
}

export function PlannedStages({ planned, x, y, high, name }: { planned: readonly Planned[]; x: Scale; y: number; high: number; name: StageName }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  return (
    <g class="planned-stages" data-testid="planned-stages">
      {stretchesOf(planned).map((part) => {
        const [left, right] = [x(part.from_s), x(part.until_s)];
        if (right <= left) return null;
        return (
          <g key={part.from_s}>
            <rect x={left} y={y + 2} width={Math.max(1, right - left - 1)} height={high - 4} fill={`url(#by-${part.by})`} class={`planned by-${part.by}`}>
              <title>{words.timeline.plannedSpan(name(part.stage), formatClock(epoch, part.from_s), formatClock(epoch, part.until_s), byWhom(part))}</title>
            </rect>
            {right - left > 8 * part.stage.length + 6 && (
              <text x={(left + right) / 2} y={y + high - 4.5} text-anchor="middle" class="planned-name">
                {part.stage}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

interface LampsProps {
  detail: JunctionDetail;
  planned: readonly Planned[];
  group: number;
  x: Scale;
  y: number;
  palette: Palette;
}

/** Hollow, so that nobody takes it for what was shown: green as a frame (broken and lower where it yields), red as
 * a broken line. */
export function PlannedLamps({ detail, planned, group, x, y, palette }: LampsProps): JSX.Element {
  return (
    <g class="planned-lamps" aria-hidden="true">
      {plannedLamps(planned, detail.stages, group).map(({ from_s, until_s, lamp }) => {
        const [left, right] = [x(from_s), x(until_s)];
        const colour = css(lamp === 'g' ? palette.lamps.green : lampColour(palette, lamp.charCodeAt(0)));
        const tall = lamp === 'G' ? 10 : lamp === 'g' ? 7 : 0;
        if (right - left < 1) return null;
        return tall ? (
          <rect key={from_s} x={left + 0.5} y={y - tall / 2} width={right - left - 1} height={tall} fill="none" stroke={colour} stroke-dasharray={lamp === 'g' ? '3 2' : undefined} />
        ) : (
          <line key={from_s} x1={left} y1={y} x2={right} y2={y} stroke={colour} stroke-width={1.5} stroke-dasharray="2 3" />
        );
      })}
    </g>
  );
}

/** Where a mission is expected: a flag at the top, a line through all rows. */
export function ExpectedMissions({ planned, now, x, top, bottom }: { planned: readonly Planned[]; now: number; x: Scale; top: number; bottom: number }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  return (
    <g class="expected-missions">
      {missionsOf(planned, now).map((part) => {
        const at = x(part.from_s);
        return (
          <g key={part.who}>
            <title>{words.timeline.expected(callSign(part.who), formatClock(epoch, part.from_s), part.stage)}</title>
            <line x1={at} y1={top} x2={at} y2={bottom} />
            <path d={`M${at} ${top}h8l-3 4 3 4h-8z`} />
          </g>
        );
      })}
    </g>
  );
}

/** The same in words: for who cannot see the drawing, and for who wants to be told. */
export function PlannedWords({ planned, now, name }: { planned: readonly Planned[]; now: number; name: StageName }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const steps = stepsOf(planned);
  const [first] = steps;
  const missions = missionsOf(planned, now);
  return (
    <p class="small planned-words" data-testid="junction-planned">
      {first ? (
        <>
          <svg width="22" height="11" aria-hidden="true" class="planned-key">
            <rect x="0.5" y="0.5" width="21" height="10" fill={`url(#by-${first.by})`} class={`planned by-${first.by}`} />
          </svg>
          <b>{words.timeline.plannedBy(byWhom(first))}</b>{' '}
          {steps
            .slice(0, MOST_NAMED)
            .map((part) => words.timeline.until(name(part.stage), formatClock(epoch, part.until_s)))
            .join(words.timeline.then)}
          {'. '}
          <span class="muted">{words.timeline.intention[first.by]}</span>
        </>
      ) : (
        <span class="muted">{words.timeline.nothingPlanned}</span>
      )}
      {missions.map((part) => (
        <span key={part.who}> {words.timeline.expected(callSign(part.who), formatClock(epoch, part.from_s), part.stage && name(part.stage))}</span>
      ))}
    </p>
  );
}

/** Whose intention it is, in words. */
function byWhom({ by, who }: Planned): string {
  const { of } = words.timeline;
  if (by === 'brain' || by === 'plan') return of[by](deciderWords(who));
  return of[by]((by === 'mission' ? callSign(who) : who) || text.indicators.unknown);
}
