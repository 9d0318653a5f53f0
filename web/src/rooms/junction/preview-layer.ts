/** On the map: who would get green under the stage that somebody is about to request. */

import type { Layer } from '@deck.gl/core';
import { PathLayer } from '@deck.gl/layers';
import { redrawLayers, registerLayer, type Drawing } from '../../map/layers';
import { css, PALETTES } from '../../map/palette';
import { getState } from '../../state/store';
import { curve, direction, type Point } from './model';
import { junctionStore } from './store';
import { words } from './text';

const STEPS = 12;
const LEAD_M = 14;

/** Points along the way of each movement that has green, with some metres of its approach: whence, and whither. */
export function greenWays(lamps: string): Point[][] {
  const { plan } = junctionStore.get();
  if (!plan || !lamps) return [];
  return plan.movements
    .filter(({ group }) => group >= 0 && 'Gg'.includes(lamps[group] ?? 'r'))
    .map(({ from_lane, to_lane }) => {
      const [a, b, c, d] = curve(plan.lanes[from_lane], plan.lanes[to_lane]);
      const u = direction(plan.lanes[from_lane], 'end');
      const lead = { x: a.x - u.x * LEAD_M, y: a.y - u.y * LEAD_M };
      const along = Array.from({ length: STEPS + 1 }, (_, k) => {
        const t = k / STEPS;
        const [p, q, r, s] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
        return { x: p * a.x + q * b.x + r * c.x + s * d.x, y: p * a.y + q * b.y + r * c.y + s * d.y };
      });
      return [lead, ...along];
    });
}

const lampsOf = (stage: string): string => getState().detail?.stages.find((one) => one.id === stage)?.lamps ?? '';
const colour = () => PALETTES[getState().theme].lamps.green;

function draw({ common, at }: Drawing): Layer[] {
  const ways = greenWays(lampsOf(junctionStore.get().previewed));
  return [
    new PathLayer<Point[]>({
      ...common, id: 'stage-preview', data: ways, getPath: (way: Point[]) => way.map(({ x, y }) => at(x, y)), getColor: colour(),
      getWidth: 1.4, widthMinPixels: 3, capRounded: true, jointRounded: true,
    } as never),
  ];
}

let registered = false;

/** Once, when the room is first opened. */
export function registerPreviewLayer(): void {
  if (registered) return;
  registered = true;
  registerLayer({
    id: 'stage-preview',
    label: words.stages.preview,
    order: 55,
    on: true,
    draw,
    keys: () => [{ colour: css(colour()), label: words.stages.previewKey, shape: 'line' }],
  });
  let seen = '';
  junctionStore.subscribe(() => {
    const { previewed } = junctionStore.get();
    if (previewed === seen) return;
    seen = previewed;
    redrawLayers();
  });
}
