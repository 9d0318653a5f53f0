/** The junction from above, to scale: lanes, stop lines, movements with the present lamp, crossings, camera view. */

import type { JSX } from 'preact';
import type { JunctionDetail } from '../../api/types';
import { USE, laneKind } from '../../map/geometry';
import { css, lampColour, PALETTES, type Palette } from '../../map/palette';
import { useStore } from '../../state/store';
import { text } from '../../text';
import type { GroundPlan, PlanLane } from './api';
import { clearOf, curve, direction, viewOf } from './model';
import { junctionStore } from './store';
import { words } from './text';

const isGo = (lamp: string): boolean => lamp === 'G' || lamp === 'g';

export function PlanDrawing({ detail }: { detail: JunctionDetail }): JSX.Element | null {
  const plan = junctionStore.use((s) => s.plan);
  const pointed = junctionStore.use((s) => s.pointed);
  const palette = PALETTES[useStore((s) => s.theme)];
  if (!plan) return null;
  const view = viewOf(plan);
  const lost = plan.crossings.filter((crossing) => !crossing.approach);
  return (
    <section aria-labelledby="plan-title">
      <h3 id="plan-title">{words.plan.title}</h3>
      <svg
        class="ground-plan"
        viewBox={`${view.x} ${-(view.y + view.height)} ${view.width} ${view.height}`}
        role="img"
        aria-label={words.plan.label}
        data-testid="junction-plan"
      >
        <g transform="scale(1,-1)">
          <Lanes plan={plan} palette={palette} />
          {plan.crossings.map((crossing) => (
            <Crossing key={crossing.group} plan={plan} crossing={crossing} lamp={detail.lamps[crossing.group] ?? ''} palette={palette} />
          ))}
          <Movements plan={plan} detail={detail} palette={palette} pointed={pointed} />
          <StopLines plan={plan} detail={detail} palette={palette} pointed={pointed} />
        </g>
        <Scale view={view} />
      </svg>
      <ul class="keys plan-keys">
        <li>
          <span class="key line" style={{ background: css(palette.lamps.green) }} />
          {words.plan.legend.go}
        </li>
        <li>
          <span class="key dashed" style={{ color: css(palette.lamps.permitted) }} />
          {words.plan.legend.yields}
        </li>
        <li>
          <span class="key line thin" style={{ background: css(palette.lamps.red) }} />
          {words.plan.legend.stop}
        </li>
        <li>
          <span class="key area" style={{ background: 'var(--accent)' }} />
          {words.plan.legend.seen}
        </li>
      </ul>
      {lost.length > 0 && (
        <p class="small muted">
          {words.plan.crossings}:{' '}
          {lost.map((crossing) => (
            <span key={crossing.group} class="lost-crossing">
              <span class="lamp" style={{ background: css(lampColour(palette, (detail.lamps[crossing.group] ?? 'r').charCodeAt(0))) }} />
              {detail.groups[crossing.group]?.id} {text.lamp[detail.lamps[crossing.group] ?? ''] ?? ''}
            </span>
          ))}
        </p>
      )}
    </section>
  );
}

const path = (lane: PlanLane): string => {
  const parts: string[] = [];
  for (let k = 0; k + 1 < lane.points.length; k += 2) parts.push(`${k ? 'L' : 'M'}${lane.points[k]} ${lane.points[k + 1]}`);
  return parts.join('');
};

function Lanes({ plan, palette }: { plan: GroundPlan; palette: Palette }): JSX.Element {
  return (
    <g fill="none">
      {plan.lanes.map((lane) => (
        <path key={`c${lane.id}`} d={path(lane)} stroke={css(palette.casing)} stroke-width={lane.width_m + 0.8} />
      ))}
      {plan.lanes.map((lane) => (
        <path key={lane.id} d={path(lane)} stroke={css(palette[laneKind(lane.use)])} stroke-width={Math.max(0.5, lane.width_m - 0.2)}>
          <title>
            {lane.name || lane.edge}
            {lane.role === 'exit' ? '' : `, ${lane.seen ? words.plan.camera : words.plan.unseen}`}
          </title>
        </path>
      ))}
      {plan.lanes
        .filter((lane) => lane.seen && lane.role !== 'exit')
        .map((lane) => (
          <path key={`v${lane.id}`} class="camera-view" d={path(lane)} stroke-width={Math.max(0.5, lane.width_m - 0.2)} />
        ))}
    </g>
  );
}

interface LampsProps {
  plan: GroundPlan;
  detail: JunctionDetail;
  palette: Palette;
  pointed: number;
}

function Movements({ plan, detail, palette, pointed }: LampsProps): JSX.Element {
  const drawn = plan.movements.map((movement, k) => {
    const lamp = movement.group < 0 ? '' : (detail.lamps[movement.group] ?? '');
    const [a, b, c, d] = curve(plan.lanes[movement.from_lane], plan.lanes[movement.to_lane]);
    const go = isGo(lamp);
    const wanted = pointed >= 0 && movement.group === pointed;
    const title = words.plan.movement(
      words.plan.turn[movement.turn] ?? '',
      detail.groups[movement.group]?.id ?? '',
      movement.group < 0 ? words.plan.free : (text.lamp[lamp] ?? text.lampUnknown),
    );
    return {
      go,
      mark: (
        <path
          key={k}
          d={`M${a.x} ${a.y}C${b.x} ${b.y} ${c.x} ${c.y} ${d.x} ${d.y}`}
          fill="none"
          stroke={css(lampColour(palette, lamp.charCodeAt(0)))}
          stroke-width={wanted ? 1.7 : go ? 1.1 : lamp === 'y' ? 0.9 : 0.35}
          stroke-dasharray={lamp === 'g' ? '2 1.2' : undefined}
          stroke-linecap="round"
          opacity={wanted || go || lamp === 'y' ? 1 : 0.55}
        >
          <title>{title}</title>
        </path>
      ),
    };
  });
  return (
    <g>
      {drawn.filter((one) => !one.go).map((one) => one.mark)}
      {drawn.filter((one) => one.go).map((one) => one.mark)}
    </g>
  );
}

/** A bar across the end of each lane, in the lamps of its groups side by side, and the groups' names. */
function StopLines({ plan, detail, palette, pointed }: LampsProps): JSX.Element {
  const groups = new Map<number, number[]>();
  for (const { from_lane, group } of plan.movements) {
    const list = groups.get(from_lane) ?? [];
    if (group >= 0 && !list.includes(group)) list.push(group);
    groups.set(from_lane, list);
  }
  const labelled = new Set<string>();
  const placed: [number, number][] = [];
  return (
    <g>
      {[...groups].map(([row, list]) => {
        const lane = plan.lanes[row];
        const u = direction(lane, 'end');
        const [x, y] = [(lane.points.at(-2) ?? 0) - u.x * 0.6, (lane.points.at(-1) ?? 0) - u.y * 0.6];
        const width = Math.max(1, lane.width_m - 0.5);
        const label = `${lane.edge} ${list.join()}`;
        const first = !labelled.has(label);
        labelled.add(label);
        const written = first && list.length > 0 ? clearOf(placed, x, y, u) : null;
        if (written) placed.push(written);
        return (
          <g key={lane.id}>
            <line x1={x - (u.y * width) / 2} y1={y + (u.x * width) / 2} x2={x + (u.y * width) / 2} y2={y - (u.x * width) / 2} stroke={css(palette.housing)} stroke-width={1.6} />
            {list.map((group, k) => {
              const [from, until] = [(k / list.length - 0.5) * width, ((k + 1) / list.length - 0.5) * width];
              return (
                <line
                  key={group}
                  x1={x + u.y * from}
                  y1={y - u.x * from}
                  x2={x + u.y * until}
                  y2={y - u.x * until}
                  stroke={css(lampColour(palette, (detail.lamps[group] ?? '').charCodeAt(0)))}
                  stroke-width={pointed === group ? 1.5 : 1}
                />
              );
            })}
            {written && (
              <text class="plan-label" x={written[0]} y={-written[1]} transform="scale(1,-1)" font-size="2.6" text-anchor="middle" dominant-baseline="middle">
                {list.map((group) => detail.groups[group]?.id ?? '').join(' ')}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

const ZEBRA_BACK_M = 3.2;

function Crossing({ plan, crossing, lamp, palette }: { plan: GroundPlan; crossing: GroundPlan['crossings'][number]; lamp: string; palette: Palette }): JSX.Element | null {
  const lanes = plan.lanes.filter((lane) => lane.edge === crossing.approach && (lane.use & ~USE.pedestrian) !== 0);
  if (!lanes.length) return null;
  return (
    <g stroke={css(lampColour(palette, lamp.charCodeAt(0)))} stroke-width={0.5}>
      {lanes.flatMap((lane) => {
        const u = direction(lane, 'end');
        const [ex, ey] = [(lane.points.at(-2) ?? 0) - u.x * ZEBRA_BACK_M, (lane.points.at(-1) ?? 0) - u.y * ZEBRA_BACK_M];
        const stripes = Math.max(2, Math.round(lane.width_m / 0.9));
        return Array.from({ length: stripes }, (_, k) => {
          const aside = ((k + 0.5) / stripes - 0.5) * lane.width_m;
          const [x, y] = [ex + u.y * aside, ey - u.x * aside];
          return <line key={`${lane.id} ${k}`} x1={x - u.x * 1.4} y1={y - u.y * 1.4} x2={x + u.x * 1.4} y2={y + u.y * 1.4} />;
        });
      })}
    </g>
  );
}

function Scale({ view }: { view: ReturnType<typeof viewOf> }): JSX.Element {
  const length = [50, 20, 10, 5].find((metres) => metres < view.width / 3) ?? 5;
  const [x, y] = [view.x + 2, -view.y - 2.5];
  return (
    <g class="plan-scale">
      <line x1={x} y1={y} x2={x + length} y2={y} />
      <text x={x + length + 1.2} y={y + 1} font-size="3">
        {length} m
      </text>
    </g>
  );
}
