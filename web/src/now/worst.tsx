/** Where the city does worst, why, and what can be done: for somebody who has never seen it. */

import type { JSX } from 'preact';
import { formatWhole } from '../format';
import { selectJunction } from '../state/actions';
import { useStore } from '../state/store';
import { useMay } from '../state/user';
import type { Cause, WorstPlace } from './api';
import { follow, tryWhatIf } from './remedies';
import { nowStore } from './store';
import { words } from './text';
import './worst.css';

export function Worst(): JSX.Element {
  const worst = nowStore.use((s) => s.worst);
  const lost = nowStore.use((s) => s.lost);
  return (
    <section aria-labelledby="worst-title" data-testid="worst">
      <header>
        <h2 id="worst-title">{words.worst.title}</h2>
        <span class="caption">{words.worst.caption}</span>
      </header>
      {worst === null && <p class="muted">{lost ? words.worst.lost : words.worst.waiting}</p>}
      {worst?.length === 0 && <p class="muted">{words.worst.none}</p>}
      {worst === null && !lost && <div class="worst-awaited" aria-hidden="true" />}
      <ol class="worst-list">
        {worst?.map((place, k) => (
          <Place key={place.junction} place={place} rank={k + 1} />
        ))}
      </ol>
    </section>
  );
}

export function causeInWords(cause: Cause): string {
  const figures = Object.fromEntries(
    Object.entries(cause.figures).map(([name, value]) => [name, formatWhole(name === 'share' ? value * 100 : value)]),
  );
  return words.worst.cause[cause.kind]?.(figures, cause.name || cause.about) ?? cause.says;
}

export function useJunctionName(id: string): string {
  return useStore((s) => s.geometry?.junctions.find((one) => one.id === id)?.name || id);
}

function Place({ place, rank }: { place: WorstPlace; rank: number }): JSX.Element {
  const name = useJunctionName(place.junction);
  const row = useStore((s) => s.geometry?.junctions.findIndex((one) => one.id === place.junction) ?? -1);
  const operator = useMay('operator');
  const [first, ...further] = place.causes;
  return (
    <li class="worst-place" data-testid="worst-place">
      <button type="button" class="row worst-open" disabled={row < 0} onClick={() => selectJunction(row)}>
        <span class="name">{words.worst.rank(rank, name)}</span>
        <span class="number">
          {words.worst.standing(formatWhole(place.standing_veh))}
        </span>
      </button>
      {first && (
        <p class="cause" title={further.map(causeInWords).join(' · ')}>
          {causeInWords(first)}
          {further.length > 0 && <span class="muted"> (+{words.worst.further(further.length)})</span>}
        </p>
      )}
      {first && (
        <button type="button" class="link remedy" data-testid="worst-remedy" onClick={() => follow(place, first)}>
          {words.worst.remedy[first.remedy] ?? words.worst.remedy['look-at-junction']}
        </button>
      )}
      {operator && first?.remedy !== 'try-what-if' && (
        <button type="button" class="link remedy" data-testid="worst-what-if" onClick={() => tryWhatIf(place.junction)}>
          {words.worst.whatIfHere}
        </button>
      )}
    </li>
  );
}
