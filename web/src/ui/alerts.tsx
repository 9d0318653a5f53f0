/** The city's alarms as brains and processes tell them: those that are active first, with their place; what has ended
 * stays for a while and says so. */

import type { JSX } from 'preact';
import type { Alert } from '../api/types';
import { hasPlace, placeName, showPlace } from '../alerts/place';
import { alertText as words } from '../alerts/text';
import { detailWords, titleWords } from '../alerts/words';
import { formatClock, formatZone } from '../format';
import { useSummary } from '../rooms/cases/summary';
import { go } from '../state/route';
import { useStore } from '../state/store';
import { text } from '../text';
import { useHeld } from './held';

const MOST = 20;

/** What was once said and only tells that something is well again is no alarm. */
export const isActive = (alert: Alert): boolean => alert.ended_s == null && alert.severity !== 'info';

/** The newest word on each matter; the active ones first, each part newest first. */
export function inOrderOfNeed(alerts: readonly Alert[]): Alert[] {
  const newest = new Map<string, Alert>();
  for (const alert of alerts) {
    const key = `${alert.brain}/${alert.key}`;
    if (!newest.has(key)) newest.set(key, alert); // they come newest first
  }
  const all = [...newest.values()];
  return [...all.filter(isActive), ...all.filter((alert) => !isActive(alert))];
}

export function Alerts({ held }: { held: boolean }): JSX.Element {
  const alerts = useHeld(
    useStore((s) => s.alerts),
    held,
  );
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const listed = useSummary((s) => s.health?.standing_alarms ?? 0);
  const shown = inOrderOfNeed(alerts);
  const active = shown.filter(isActive).length;
  return (
    <section aria-labelledby="alerts-title">
      <header>
        <h2 id="alerts-title">{text.panel.alerts}</h2>
        {active > 0 && <span class="count">{words.active(active)}</span>}
        {listed > 0 && (
          <button type="button" class="link" title={words.listedHint} data-testid="alarms-listed" onClick={() => go('cases')}>
            {words.listed(listed)}
          </button>
        )}
        {shown.length > 0 && <span class="caption">{text.clock.cityIn(formatZone(epoch, shown[0].time_s))}</span>}
      </header>
      {shown.length === 0 && <p class="muted">{text.panel.noAlerts}</p>}
      <ul class="alerts" tabIndex={0} aria-labelledby="alerts-title" aria-live="polite" data-testid="alerts">
        {shown.slice(0, MOST).map((alert) => (
          <AlertEntry key={`${alert.brain}/${alert.key}`} alert={alert} epoch={epoch} />
        ))}
      </ul>
    </section>
  );
}

function AlertEntry({ alert, epoch }: { alert: Alert; epoch: string }): JSX.Element {
  useStore((s) => s.geometry); // places have names once it is there
  const place = placeName(alert);
  const detail = detailWords(alert);
  const active = isActive(alert);
  return (
    <li class={`alert ${alert.severity} ${active ? '' : 'ended'}`} data-testid="alert" data-active={active}>
      <p>
        <span class="severity">{text.severity[alert.severity] ?? alert.severity}</span>
        <span class="muted">{alert.ended_s == null ? formatClock(epoch, alert.time_s) : words.ended(formatClock(epoch, alert.ended_s))}</span>
      </p>
      <p class="title">{titleWords(alert)}</p>
      {place &&
        (hasPlace(alert) ? (
          <button type="button" class="link" title={words.showOnMap(place)} data-testid="alert-place" onClick={() => showPlace(alert)}>
            {place}
          </button>
        ) : (
          <p>{place}</p>
        ))}
      {detail && <p class="muted small">{detail}</p>}
    </li>
  );
}
