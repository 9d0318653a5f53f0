/** Where the city does worst, why, and what can be done: for somebody who has never seen it. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { formatClock, formatTenth, formatWhole } from '../format';
import { selectJunction } from '../state/actions';
import { getState, useStore } from '../state/store';
import { useMay } from '../state/user';
import { text } from '../text';
import { useHeld } from '../ui/held';
import type { Cause, CauseKind, WorstPlace } from './api';
import { nameApproach } from './approach-name';
import { drainInWords, junctionName, requestInWords, roadName, SAME_VEH_S } from './drain';
import { FullRoads, unnamedOf } from './full-roads';
import { tellVehicle } from './held-for';
import { follow, tryWhatIf } from './remedies';
import { nowStore, spillBacks } from './store';
import { words } from './text';
import { pointsAt } from './points-at';
import './worst.css';

export function Worst({ held }: { held: boolean }): JSX.Element {
  const live = nowStore.use((s) => s.worst);
  // reasons and remedies stay as they are, too: a line more would move what is aimed at
  const worst = useHeld(live, held && live !== null);
  const keptS = useHeld(nowStore.use((s) => s.worstS), held && live !== null);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const lost = nowStore.use((s) => s.lost);
  const full = useHeld(nowStore.use((s) => s.full), held && live !== null);
  const counted = useHeld(nowStore.use((s) => spillBacks(s.signs)), held && live !== null);
  // the marks on the map are those of the list, while it is shown
  useEffect(() => nowStore.set({ listed: worst }), [worst]);
  useEffect(() => () => nowStore.set({ listed: null }), []);
  const calm = calmInWords(worst ?? [], counted > 0 || full.length > 0);
  return (
    <section aria-labelledby="worst-title" data-testid="worst">
      <header>
        <h2 id="worst-title">{words.worst.title}</h2>
        <span class="caption" data-testid="worst-caption">
          {held ? words.worst.held(formatClock(epoch, keptS)) : words.worst.caption}
        </span>
      </header>
      {worst === null && <p class="muted">{lost ? words.worst.lost : words.worst.waiting}</p>}
      {worst?.length === 0 && <p class="muted">{words.worst.none}</p>}
      {calm && (
        <p class="muted small calm" data-testid="worst-calm">
          {calm}
        </p>
      )}
      {worst === null && !lost && <div class="worst-awaited" aria-hidden="true" />}
      <ol class="worst-list">
        {worst?.map((place, k) => (
          <Place key={place.junction} place={place} now={live?.find((one) => one.junction === place.junction) ?? place} rank={k + 1} />
        ))}
      </ol>
      <FullRoads roads={unnamedOf(full, worst ?? [])} />
    </section>
  );
}

/** Causes that speak of an approach: about is its edge. */
const OF_APPROACHES: ReadonlySet<CauseKind> = new Set(['camera-silent', 'demand', 'full-approach', 'uneven', 'unknown']);

const SHARES: ReadonlySet<string> = new Set(['full_share']);

/** What is said once of all places where no cause is known, "" where there is none. full: whether any road in the city
 * is: beside a sign that counts one the list never says that there is none. */
export function calmInWords(places: readonly WorstPlace[], full: boolean): string {
  const calm = places.filter(isCalm).length;
  return calm === 0 ? '' : calm === places.length ? words.worst.calmAll(full) : words.worst.calmSome(full);
}

const isCalm = ({ causes: [first] }: WorstPlace): boolean => first?.kind === 'unknown';

/** The first cause in a list that says by itself where none is known (`calmInWords`). */
export function causeInList(place: WorstPlace): string {
  const [first] = place.causes;
  return first ? causeInWords(place, first, words.worst.mostWait) : '';
}

/** busy: how it is said where most wait, while no cause is known. */
export function causeInWords(place: WorstPlace, cause: Cause, busy = words.worst.cause.unknown): string {
  const { geometry, city, snapshot } = getState();
  if (cause.kind === 'priority' && place.held_for) return tellVehicle(place.held_for, geometry, city?.epoch ?? '', snapshot?.time_s ?? 0);
  const figures = Object.fromEntries(
    Object.entries(cause.figures).map(([name, value]) => [name, formatWhole(SHARES.has(name) ? value * 100 : value)]),
  );
  const about = cause.about && OF_APPROACHES.has(cause.kind) ? nameApproach(cause.about, cause.name, geometry) : cause.name || cause.about;
  const said = cause.kind === 'spill-back' ? fullRoad(cause, figures) : ((cause.kind === 'unknown' ? busy : words.worst.cause[cause.kind])?.(figures, about) ?? cause.says);
  return [said, stageInWords(cause, figures)].filter(Boolean).join(words.worst.and);
}

/** Which road is full, where it must empty, and who is held back by it. */
function fullRoad({ road_name: street, about, approach, name }: Cause, figures: Record<string, string>): string {
  const road = roadName(street, about);
  const full = approach ? words.worst.blocked(nameApproach(approach, name, getState().geometry), road, figures) : words.worst.cause['spill-back'](figures, road);
  return figures['mutual'] ? full + words.worst.mutual(junctionName(about)) : full;
}

/** What the brain has in mind with the stage that would serve them, "" where it does not say. */
function stageInWords({ stage, stage_state: state, chosen, figures: known }: Cause, figures: Record<string, string>): string {
  const epoch = getState().city?.epoch ?? '';
  const at = known['from_s'] === undefined ? '' : formatClock(epoch, known['from_s']);
  const same = state === 'costs-more' && Math.abs(known['more_veh_s'] ?? SAME_VEH_S) < SAME_VEH_S;
  return state ? words.worst.brain[same ? 'costs-same' : state]({ stage, chosen, at, more: figures['more_veh_s'] ?? '' }) : '';
}

/** operator: whether who reads may request a stage. */
export function remedyInWords(cause: Cause, operator = true): string {
  if (cause.remedy === 'request-drain' && cause.drain) return operator ? requestInWords(cause.drain) : words.worst.lookAhead(junctionName(cause.drain.junction));
  if (cause.remedy === 'show-stage' && cause.stage) return words.worst.requestStage(cause.stage);
  if (cause.remedy === 'look-downstream') return cause.about ? words.worst.lookAhead(junctionName(cause.about)) : words.worst.remedy['look-at-junction'];
  return words.worst.remedy[cause.remedy] ?? words.worst.remedy['look-at-junction'];
}

export function useJunctionName(id: string): string {
  return useStore((s) => s.geometry?.junctions.find((one) => one.id === id)?.name || id);
}

function Place({ place, now, rank }: { place: WorstPlace; now: WorstPlace; rank: number }): JSX.Element {
  const name = useJunctionName(place.junction);
  const row = useStore((s) => s.geometry?.junctions.findIndex((one) => one.id === place.junction) ?? -1);
  const operator = useMay('operator');
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const [first, ...further] = place.causes;
  const vehicle = now.held_for;
  return (
    <li class="worst-place" data-testid="worst-place" {...pointsAt(place.junction)}>
      <button type="button" class="row worst-open" disabled={row < 0} onClick={() => selectJunction(row)}>
        <span class="name" title={name}>
          {words.worst.rank(rank, name)}
        </span>
        {vehicle && first?.kind !== 'priority' && <HeldMark said={tellVehicle(vehicle, getState().geometry, epoch, getState().snapshot?.time_s ?? 0)} />}
        <span class="number" title={text.panel.queueHint}>
          {words.worst.queue(formatTenth(now.standing_veh))}
        </span>
      </button>
      {first && (
        <p class="cause" title={further.map((one) => causeInWords(place, one)).join(' · ')}>
          {causeInList(place)}
          {further.length > 0 && <span class="muted"> (+{words.worst.further(further.length)})</span>}
        </p>
      )}
      {first?.drain && (
        <p class="cause drain" data-testid="worst-drain">
          {drainInWords(first.drain)}
        </p>
      )}
      {first && (
        <button type="button" class="link remedy" data-testid="worst-remedy" title={first.remedy === 'look-downstream' ? words.worst.drains : undefined} onClick={() => follow(place.junction, first)}>
          {remedyInWords(first, operator)}
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

/** The same of one junction, where it is looked at: why it is among the worst, and what can be done. */
export function WorstHere({ junction }: { junction: string }): JSX.Element | null {
  const place = nowStore.use((s) => s.worst?.find((one) => one.junction === junction) ?? null);
  const operator = useMay('operator');
  const cause = place?.causes[0];
  if (!place || !cause) return null;
  // what leads to this junction leads nowhere, but for a request, which fills its form in
  const leads = ['request-drain', 'look-downstream', 'open-incident', 'follow-mission', 'try-what-if'].includes(cause.remedy);
  return (
    <section aria-labelledby="worst-here" data-testid="worst-here">
      <h3 id="worst-here">{words.worst.title}</h3>
      <p class="cause">{causeInWords(place, cause)}</p>
      {cause.drain && <p class="cause drain">{drainInWords(cause.drain)}</p>}
      {leads && (
        <button type="button" class="link remedy" data-testid="worst-here-remedy" onClick={() => follow(place.junction, cause)}>
          {remedyInWords(cause, operator)}
        </button>
      )}
    </section>
  );
}

/** Live also in a list that is kept in place: whoever would take the junction over must know. */
function HeldMark({ said }: { said: string }): JSX.Element {
  return (
    <span class="held-mark" title={said} data-testid="worst-held-for">
      {said}
    </span>
  );
}
