/** The wall: the live map and what matters beside it, for a screen that is read from five metres. No controls; the
 * picture goes slowly round the worst places. Esc leaves it. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatClock, formatTenth, formatWhole, formatZone } from '../../format';
import type { SignId, VitalSign } from '../../now/api';
import { nowStore } from '../../now/store';
import { formatSign, UNITS } from '../../now/strip';
import { words as nowWords } from '../../now/text';
import { placeName } from '../../alerts/place';
import { alertText as alarmWords } from '../../alerts/text';
import { titleWords } from '../../alerts/words';
import { causeInWords, remedyInWords } from '../../now/worst';
import { useSummary } from '../cases/summary';
import { inOrderOfNeed, isActive } from '../../ui/alerts';
import { go, HOME } from '../../state/route';
import { getState, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { text } from '../../text';
import { words } from './text';
import { STAY_S, stopOf } from './tour';
import './wall.css';

const SHOWN_SIGNS: readonly SignId[] = ['delay', 'throughput', 'spill-backs', 'incidents', 'silent-cameras', 'local-controllers'];
const WORST = 3;
const ALARMS = 3;

export function WallView(): JSX.Element {
  const rank = useTour();
  useEffect(() => {
    const leave = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') go(HOME);
    };
    document.documentElement.dataset['wall'] = 'on';
    window.addEventListener('keydown', leave);
    return () => {
      delete document.documentElement.dataset['wall'];
      window.removeEventListener('keydown', leave);
    };
  }, []);
  return (
    <div class="wall" data-testid="wall" aria-label={words.label}>
      <button type="button" class="wall-leave" onClick={() => go(HOME)}>
        {words.leave}
      </button>
      <Caption rank={rank} />
      <div class="wall-side">
        <Head />
        <Signs />
        <WorstPlaces rank={rank} />
        <Alarms />
      </div>
    </div>
  );
}

/** Rank of the place the map shows, -1 for the whole city. */
function useTour(): number {
  const [stop, setStop] = useState(0);
  const places = nowStore.use((s) => Math.min(WORST, s.worst?.length ?? 0));
  const ready = useStore((s) => s.map !== null);
  const rank = stopOf(stop, places);
  useEffect(() => {
    const timer = window.setInterval(() => setStop((now) => now + 1), STAY_S * 1000);
    return () => window.clearInterval(timer);
  }, []);
  useEffect(() => {
    const { map, geometry } = getState();
    if (!map || !geometry) return;
    const junction = rank < 0 ? undefined : nowStore.get().worst?.[rank]?.junction;
    const row = geometry.junctions.findIndex((one) => one.id === junction);
    map.select(row < 0 ? null : row, true);
    if (row < 0) map.fit();
  }, [rank, ready]);
  useEffect(
    () => () => {
      const { map } = getState();
      map?.select(null, false);
      map?.fit();
    },
    [],
  );
  return rank;
}

function Head(): JSX.Element {
  const city = useStore((s) => s.city);
  const timeS = useStore((s) => s.timeS);
  const connection = useStore((s) => s.connection);
  const age = useStore((s) => s.ageS);
  const aged = connection === 'stale' || connection === 'reconnecting';
  return (
    <header class="wall-head">
      <span class="wall-city">{city?.name}</span>
      <span class="wall-clock">{city && Number.isFinite(timeS) ? formatClock(city.epoch, timeS) : text.indicators.unknown}</span>
      {city && Number.isFinite(timeS) && <span class="wall-zone">{text.clock.cityIn(formatZone(city.epoch, timeS))}</span>}
      {aged && <span class="wall-aged">{connection === 'stale' ? text.connection.stale(age) : text.connection.reconnecting}</span>}
    </header>
  );
}

function Signs(): JSX.Element {
  const signs = nowStore.use((s) => s.signs?.signs);
  return (
    <div class="wall-signs">
      {SHOWN_SIGNS.map((id) => (
        <Sign key={id} id={id} sign={signs?.find((one) => one.id === id)} />
      ))}
    </div>
  );
}

function Sign({ id, sign }: { id: SignId; sign: VitalSign | undefined }): JSX.Element {
  const say = (value: number): string => formatSign({ id }, value);
  const against = sign?.usual != null ? words.usual(say(sign.usual)) : sign?.fixed != null ? words.fixed(say(sign.fixed)) : '';
  return (
    <div class={`wall-sign ${sign?.state ?? 'unknown'}`}>
      <span class="wall-sign-name">
        {nowWords.signs[id]}
        {UNITS[id] && `, ${UNITS[id]}`}
      </span>
      <span class="wall-sign-value">
        {sign?.value == null ? text.indicators.unknown : say(sign.value)}
        {sign?.of != null && <small> {nowWords.of(formatWhole(sign.of))}</small>}
      </span>
      <span class="wall-sign-against">{against}</span>
    </div>
  );
}

function WorstPlaces({ rank }: { rank: number }): JSX.Element {
  const worst = nowStore.use((s) => s.worst);
  const geometry = useStore((s) => s.geometry);
  const operator = useMay('operator');
  const told = Math.max(0, rank); // of one at a time, so that the alarms below keep their room
  return (
    <section class="wall-part">
      <h2>{words.worst}</h2>
      {worst?.length === 0 && <p class="wall-quiet">{words.noWorst}</p>}
      <ol>
        {worst?.slice(0, WORST).map((place, k) => (
          <li key={place.junction} class={k === rank ? 'here' : ''}>
            <b>
              {k + 1}. {geometry?.junctions.find((one) => one.id === place.junction)?.name || place.junction}
            </b>
            <span>{nowWords.worst.queue(formatTenth(place.standing_veh))}</span>
            {k === told && place.causes[0] && (
              <>
                <p>{causeInWords(place, place.causes[0])}</p>
                <p class="wall-remedy">{remedyInWords(place.causes[0], operator)}</p>
              </>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Alarms(): JSX.Element {
  const alerts = useStore((s) => s.alerts);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const listed = useSummary((s) => s.health?.standing_alarms ?? 0);
  const shown = inOrderOfNeed(alerts).filter(isActive);
  return (
    <section class="wall-part">
      <h2>
        {words.alarms} {shown.length > 0 && <span class="wall-count">{shown.length}</span>}
      </h2>
      {shown.length === 0 && <p class="wall-quiet">{words.noAlarms}</p>}
      <ul>
        {shown.slice(0, ALARMS).map((alert) => (
          <li key={alert.key} class={`wall-alarm ${alert.severity}`}>
            <span>{formatClock(epoch, alert.time_s).slice(0, 5)}</span>
            <b>{text.severity[alert.severity] ?? alert.severity}</b>
            <p>
              {titleWords(alert)} {placeName(alert) && <b>{placeName(alert)}</b>}
            </p>
          </li>
        ))}
      </ul>
      {shown.length > ALARMS && <p class="wall-quiet">{words.more(shown.length - ALARMS)}</p>}
      {listed > 0 && <p class="wall-quiet">{alarmWords.listed(listed)}</p>}
    </section>
  );
}

function Caption({ rank }: { rank: number }): JSX.Element {
  const place = nowStore.use((s) => (rank < 0 ? undefined : s.worst?.[rank]));
  const name = useStore((s) => s.geometry?.junctions.find((one) => one.id === place?.junction)?.name || place?.junction || '');
  return (
    <p class="wall-caption" aria-live="polite">
      {place ? words.touring(rank + 1, name) : words.wholeCity}
    </p>
  );
}
