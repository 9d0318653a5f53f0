/** Roads that spill back and that no place of the worst list names: the strip counts them, so the list says which. */

import type { JSX } from 'preact';
import { capital, formatWhole } from '../format';
import { useMay } from '../state/user';
import type { FullRoad, WorstPlace } from './api';
import { drainInWords, nameFull } from './drain';
import { pointsAt } from './points-at';
import { follow, showFullRoads } from './remedies';
import { words } from './text';
import { remedyInWords } from './worst';

/** Those of which no place shown says that they are full. */
export function unnamedOf(full: readonly FullRoad[], places: readonly WorstPlace[]): FullRoad[] {
  const named = new Set(places.map(({ causes: [first] }) => (first?.kind === 'spill-back' ? first.road : '')));
  return full.filter(({ cause }) => !named.has(cause.road));
}

const LISTED = 3;

export function FullRoads({ roads }: { roads: readonly FullRoad[] }): JSX.Element | null {
  const operator = useMay('operator');
  if (roads.length === 0) return null;
  return (
    <ul class="worst-list" data-testid="full-roads">
      {roads.slice(0, LISTED).map((one) => (
        <li key={one.cause.road} class="worst-place" data-testid="full-road" {...pointsAt(one.junction)}>
          <p class="cause">{capital(words.worst.fullRoad(nameFull(one), formatWhole((one.cause.figures['full_share'] ?? 0) * 100)))}</p>
          {one.cause.drain && <p class="cause drain">{drainInWords(one.cause.drain)}</p>}
          <button type="button" class="link remedy" data-testid="full-road-remedy" onClick={() => follow(one.junction, one.cause)}>
            {remedyInWords(one.cause, operator)}
          </button>
        </li>
      ))}
      {roads.length > LISTED && (
        <li>
          <button type="button" class="link remedy" onClick={() => void showFullRoads()}>
            {words.worst.moreFull(roads.length - LISTED)}
          </button>
        </li>
      )}
    </ul>
  );
}
