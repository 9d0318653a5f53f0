/** Start: theme, city and geometry, then the page; and the slow rhythms beside the map's socket. */

import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type * as maplibregl from 'maplibre-gl';
import { api } from './api/client';
import type { Alert } from './api/types';
import { AlertStream } from './live/alert-stream';
import { Backoff } from './live/backoff';
import type { Picture } from './live/picture';
import type { MapStatistics } from './map/drawing-meter';
import { LogInPage, SessionEnded } from './login/log-in';
import { isLoggedIn, loadSession, loggedIn, startLogin, useLogin } from './login/session';
import { findRoom, layoutOf } from './rooms/registry';
import { refreshNow } from './now/store';
import { Strip } from './now/strip';
import type { Theme } from './map/palette';
import { complain, followAddress, refreshAlerts, refreshControls, refreshJunction, refreshSnapshot } from './state/actions';
import { useAgeS, watchAge } from './state/freshness';
import { lookForRenewal, partFailed } from './state/renewal';
import { getRoute, HOME, onRoute, watchAddress } from './state/route';
import { getState, setState, toast, useStore } from './state/store';
import { text } from './text';
import { language } from './text/language';
import { Header } from './ui/header';
import { Legend } from './ui/legend';
import { MapView } from './ui/map-view';
import { Panel } from './ui/panel';
import { Renewed } from './ui/renewed';
import { PageRoom, Rail } from './ui/room-host';
import { Toasts } from './ui/toasts';
import { setCityZone } from './zone';
import './style.css';

declare global {
  interface Window {
    /** For browser tests and for people who look under the bonnet. */
    __civicbrain?: { statistics: MapStatistics; map: maplibregl.Map; picture: Picture; readonly toldMs: number };
  }
}

const THEME_KEY = 'civicbrain-theme';
const SNAPSHOT_EVERY_MS = 1000;

function App(): JSX.Element {
  const theme = useStore((s) => s.theme);
  const city = useStore((s) => s.city);
  const loadError = useStore((s) => s.loadError);
  const connection = useStore((s) => s.connection);
  const out = useLogin((s) => s.session !== null && s.session.role === null && !s.ended);
  const old = useAgeS() > 0;
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  useEffect(() => {
    document.title = city ? text.title(city.name) : text.product;
  }, [city]);
  if (out) return <LogInPage />;
  return (
    <>
      <button type="button" class="skip" data-testid="skip" onClick={skip}>
        {text.skipToPanel}
      </button>
      <Header />
      <Renewed />
      <main class={`stage ${!old && (connection === 'live' || connection === 'connecting') ? '' : 'aged'}`}>
        <Rail />
        <div class="map-area">
          <MapView />
          <div class="overlay">
            <Strip />
            <Legend />
          </div>
        </div>
        <Panel />
        <PageRoom />
        {!city && (
          <p class="loading" role="status">
            {loadError ? `${text.loadFailed} ${loadError}` : text.loading}
          </p>
        )}
        <Toasts />
      </main>
      <SessionEnded />
    </>
  );
}

/** To what the page is about now: the room, or the panel beside the map. (A link would change the address.) */
function skip(): void {
  setState({ panelOpen: true });
  window.setTimeout(() => {
    const place = document.querySelector<HTMLElement>('.page-room') ?? document.getElementById('panel');
    place?.focus();
  });
}

function startTheme(): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const stored = localStorage.getItem(THEME_KEY);
  const chosen = (): Theme => (dark.matches ? 'dark' : 'light');
  setState({ theme: stored === 'dark' || stored === 'light' ? stored : chosen() });
  let last = getState().theme;
  dark.addEventListener('change', () => {
    if (!localStorage.getItem(THEME_KEY)) setState({ theme: (last = chosen()) });
  });
  window.addEventListener('beforeunload', () => {
    if (getState().theme !== last) localStorage.setItem(THEME_KEY, getState().theme);
  });
}

async function loadCity(): Promise<void> {
  const backoff = new Backoff(500, 5000);
  for (;;) {
    try {
      const [city, geometry] = await Promise.all([api.city(), api.geometry()]);
      if (city.page_stale && import.meta.env.PROD) toast('error', text.renewed.stale);
      setCityZone(city.zone ?? '');
      setState({ city, geometry, loadError: '' });
      return;
    } catch (error) {
      setState({ loadError: error instanceof Error ? error.message : String(error) });
      await loggedIn();
      await new Promise((done) => window.setTimeout(done, backoff.next()));
    }
  }
}

/** Nothing is asked of the city before somebody is logged in. */
async function start(): Promise<void> {
  startLogin();
  await loadSession();
  await loggedIn();
  void loadCity();
  void refreshControls();
  void poll();
  new AlertStream('/v1/alerts/stream', takeAlert, streamOpened);
}

let opened = false;

/** At the start, and again whenever the connection is back: the server may have been renewed meanwhile. */
function streamOpened(): void {
  void refreshAlerts();
  if (opened) void lookForRenewal();
  opened = true;
}

function takeAlert(alert: Alert): void {
  const others = getState().alerts.filter((old) => old.key !== alert.key);
  setState({ alerts: [alert, ...others] });
}

let roomBefore = HOME;

/** Who comes to the address of a room that stands in the panel sees it, on a phone, too. */
function openPanel(): void {
  const { room, query } = getRoute();
  if (room !== roomBefore && layoutOf(findRoom(room), query) === 'panel') setState({ panelOpen: true });
  roomBefore = room;
}

/** Ask once a second while somebody looks; never two questions at once. */
async function poll(): Promise<void> {
  for (;;) {
    if (document.visibilityState === 'visible' && isLoggedIn()) {
      await Promise.all([refreshSnapshot(), refreshJunction(), refreshNow()]);
      await missionsNow();
      const { snapshot, controls } = getState();
      if (snapshot && controls?.current !== snapshot.control) await refreshControls();
    }
    await new Promise((done) => window.setTimeout(done, SNAPSHOT_EVERY_MS));
  }
}

/** The part for missions is loaded when there is one to show, or somebody looks for them. */
async function missionsNow(): Promise<void> {
  if (!getState().snapshot?.missions.length && getRoute().room !== 'missions') return;
  try {
    const part = await import('./rooms/missions').catch(async (error: unknown) => void (await partFailed(error)));
    part?.startOverlay();
    await part?.refreshMissions();
  } catch (error) {
    complain(error);
  }
}

document.documentElement.lang = language;
watchAddress();
followAddress();
startTheme();
setState({ panelOpen: window.matchMedia('(min-width: 900px)').matches });
openPanel();
onRoute(openPanel);
const app = document.getElementById('app');
if (app) render(<App />, app);
window.addEventListener('error', (event) => toast('error', `${text.errors.crashed}: ${event.message}`));
watchAge();
void start();
