/** The room: choose a corridor on the left, see it over time and distance. */

import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { complain } from '../../state/actions';
import { go, useRoute } from '../../state/route';
import { useStore } from '../../state/store';
import { fetchChoices, fetchDiagram, type Choice, type Diagram } from './api';
import { Chooser } from './chooser';
import { DiagramView } from './diagram-view';
import type { Shown } from './draw';
import { Figures, Keys, StopTable } from './figures';
import { endsOf, hasPlan, itemOf } from './model';
import { Options } from './options';
import { corridorText as text } from './text';
import { formatWhole } from '../../format';
import './corridor.css';

export const REFRESH_S = 5;
const ALL: Shown = { forward: true, back: true, bands: true, tracks: true };

export function CorridorPage(): JSX.Element {
  const item = useRoute((route) => route.item);
  const query = useRoute((route) => route.query);
  const ends = useMemo(() => endsOf(item), [item]);
  const [choices, setChoices] = useState<Choice[] | null>(null);
  const [shown, setShown] = useState<Shown>(ALL);
  const minutes = Number(query['minutes'] ?? 10) || 10;
  const speedMps = query['speed'] ? Number(query['speed']) || null : null;
  const end = query['end'] ?? null;
  const { diagram, trouble } = useDiagram(ends, minutes, end, speedMps);
  useEffect(() => void fetchChoices().then(setChoices, complain), []);
  useEffect(() => {
    if (ends === null && choices?.length) go('corridor', itemOf(choices[0].from_junction, choices[0].to_junction), query, true);
  }, [ends, choices]);
  const nameOf = useNames();
  const [from, to] = ends ?? ['', ''];
  return (
    <div class="corridor" data-testid="corridor">
      <Chooser choices={choices} from={from} to={to} chain={diagram?.forward.stops.map((stop) => stop.junction) ?? []} query={query} />
      <div class="corridor-main">
        <header class="corridor-head">
          <h2>{ends ? text.unnamed(nameOf(from), nameOf(to)) : text.title}</h2>
          <Options diagram={diagram} shown={shown} setShown={setShown} item={item} query={query} minutes={minutes} speedMps={speedMps} end={end} />
        </header>
        {trouble && <p class="error-text" role="alert">{trouble}</p>}
        {ends && !diagram && !trouble && <p class="muted">{text.loading}</p>}
        {diagram && (
          <>
            <p class="muted small" role="status">
              {diagram.known_s === 0
                ? text.nothing
                : diagram.known_s < 0.9 * (diagram.end_s - diagram.start_s)
                  ? text.partly(formatWhole((100 * diagram.known_s) / (diagram.end_s - diagram.start_s)))
                  : ''}
              {!diagram.back && ` ${text.oneWay}`}
              {!end && !hasPlan(diagram) && diagram.known_s > 0 && ` ${text.noPlan}`}
            </p>
            <DiagramView diagram={diagram} shown={shown} label={text.diagram(nameOf(from), nameOf(to))} />
            <Keys diagram={diagram} />
            <div class="corridor-below">
              <Figures diagram={diagram} />
              <StopTable diagram={diagram} />
            </div>
          </>
        )}
      </div>
    </div>
  );
}

function useNames(): (id: string) => string {
  const geometry = useStore((s) => s.geometry);
  return useMemo(() => {
    const names = new Map((geometry?.junctions ?? []).map((one) => [one.id, one.name]));
    return (id) => names.get(id) || id;
  }, [geometry]);
}

/** Asked again and again while the diagram ends now; once for a time of the past. */
function useDiagram(ends: [string, string] | null, minutes: number, end: string | null, speedMps: number | null): { diagram: Diagram | null; trouble: string } {
  const [state, setState] = useState<{ diagram: Diagram | null; trouble: string }>({ diagram: null, trouble: '' });
  const key = JSON.stringify([ends, minutes, end, speedMps]);
  useEffect(() => {
    setState({ diagram: null, trouble: '' });
    if (!ends) return undefined;
    let timer = 0;
    let over = false;
    const ask = async (): Promise<void> => {
      try {
        const diagram = await fetchDiagram(...ends, minutes * 60, end, speedMps);
        if (!over) setState({ diagram, trouble: '' });
      } catch (error) {
        if (!over) setState((before) => ({ ...before, trouble: error instanceof Error ? error.message : String(error) }));
      }
      if (!over && !end) timer = window.setTimeout(() => void ask(), REFRESH_S * 1000);
    };
    void ask();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [key]);
  return state;
}
