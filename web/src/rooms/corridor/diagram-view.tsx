/** The canvas with what lies under the pointer told beside it. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatClock, formatDistance } from '../../format';
import { useStore } from '../../state/store';
import type { Diagram } from './api';
import { boxOf, coloursOf, drawDiagram, type Shown } from './draw';
import { hasPlan, nearestStop, scaleOf, stretchAt } from './model';
import { corridorText as text } from './text';

interface Pointer {
  x: number;
  y: number;
}

export function DiagramView({ diagram, shown, label }: { diagram: Diagram; shown: Shown; label: string }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const theme = useStore((s) => s.theme);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  const [pointer, setPointer] = useState<Pointer | null>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setSize([element.clientWidth, element.clientHeight]));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    const [width, height] = size;
    if (!element || !context || width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawDiagram(context, width, height, diagram, shown, epoch, coloursOf(element));
  }, [diagram, shown, size, theme, epoch]);
  return (
    <div class="corridor-canvas">
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        data-testid="corridor-canvas"
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setPointer({ x: event.clientX - box.left, y: event.clientY - box.top });
        }}
        onPointerLeave={() => setPointer(null)}
      />
      {pointer && <Reading diagram={diagram} shown={shown} pointer={pointer} size={size} epoch={epoch} />}
    </div>
  );
}

function Reading({ diagram, shown, pointer, size, epoch }: { diagram: Diagram; shown: Shown; pointer: Pointer; size: [number, number]; epoch: string }): JSX.Element | null {
  const box = boxOf(...size);
  const scale = scaleOf(diagram, box, hasPlan(diagram));
  if (pointer.x < box.left || pointer.x > box.left + box.width || pointer.y < box.top || pointer.y > box.top + box.height) return null;
  const timeS = scale.timeAt(pointer.x);
  const near = nearestStop(diagram, scale.axisAt(pointer.y), shown);
  const lines = near ? describe(diagram, near.stop.junction, timeS, shown, epoch) : [];
  const left = pointer.x > size[0] - 270;
  return (
    <>
      <span class="corridor-crosshair" style={{ left: `${pointer.x}px`, top: `${box.top}px`, height: `${box.height}px` }} aria-hidden="true" />
      <div class={`corridor-reading ${left ? 'left' : ''}`} style={{ left: `${pointer.x}px`, top: `${pointer.y}px` }} data-testid="corridor-reading" aria-hidden="true">
        <b>
          {formatClock(epoch, timeS)} · {formatDistance(Math.max(0, scale.axisAt(pointer.y)))}
        </b>
        {near && <span>{near.stop.name || near.stop.junction}</span>}
        {lines.map((line) => (
          <span key={line}>{line}</span>
        ))}
      </div>
    </>
  );
}

/** What each direction's signal at that junction showed then. */
function describe(diagram: Diagram, junction: string, timeS: number, shown: Shown, epoch: string): string[] {
  return ([['forward', diagram.forward], ['back', diagram.back]] as const).flatMap(([name, way]) => {
    const stop = shown[name] ? way?.stops.find((one) => one.junction === junction) : undefined;
    if (!way || !stop) return [];
    const towards = way.stops[way.stops.length - 1];
    const stretch = stretchAt(stop, timeS);
    const state = !stretch
      ? text.notKnown
      : stop.planned.includes(stretch)
        ? text.plannedState(text.states[stretch.state])
        : text.since(text.states[stretch.state], formatClock(epoch, stretch.start_s), formatClock(epoch, stretch.end_s));
    return [`${text.forward(towards.name || towards.junction)}: ${state}`];
  });
}
