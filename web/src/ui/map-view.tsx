/** The map's place in the page: makes it when the city is known, tells it what was chosen. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatTenth, formatWhole } from '../format';
import { MapSocket } from '../live/map-socket';
import { UNKNOWN_U16, type Frame } from '../live/frame';
import type { CityMap } from '../map/city-map';
import { complain, selectJunction } from '../state/actions';
import { findRoom, hidesMap } from '../rooms/registry';
import { go, useRoute } from '../state/route';
import { told } from '../state/freshness';
import { getState, setState, useStore } from '../state/store';
import { text } from '../text';
import { Icon } from './icon';

interface Hover {
  row: number;
  x: number;
  y: number;
}

/** The drawing part is most of the page's code, and making its context and shaders holds the page for a
 * moment: the figures come first, unless they take longer than this. */
const FIGURES_FIRST_MS = 1000;
/** So that figures are on the screen before the page is held. */
const DRAWN_MS = 50;

type MapPart = typeof import('./map-part');

/** hidden: a page stands before the map. It is made when somebody first sees it; from then on it rests behind pages. */
function useMapPart(hidden: boolean): MapPart | null {
  const figures = useStore((s) => s.snapshot !== null);
  const [part, setPart] = useState<MapPart | null>(null);
  useEffect(() => {
    if (part || hidden) return undefined;
    const timer = window.setTimeout(() => void import('./map-part').then(setPart, complain), figures ? DRAWN_MS : FIGURES_FIRST_MS);
    return () => window.clearTimeout(timer);
  }, [figures, hidden]);
  return part;
}

export function MapView(): JSX.Element {
  const city = useStore((s) => s.city);
  const geometry = useStore((s) => s.geometry);
  const theme = useStore((s) => s.theme);
  const selected = useStore((s) => s.selected);
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<CityMap | null>(null);
  const line = useRef<MapSocket | null>(null);
  const newest = useRef<Frame | null>(null);
  const hidden = useRoute((route) => hidesMap(findRoom(route.room), route.query));
  const fromMap = useRef(false);
  const [hover, setHover] = useState<Hover | null>(null);
  const [failed, setFailed] = useState('');

  useEffect(() => {
    if (!city) return undefined;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new MapSocket(
      `${scheme}://${location.host}/v1/map`,
      (frame) => {
        newest.current = frame;
        view.current?.take(frame);
        setState({ measuredSpeed: frame.speed });
      },
      (connection) => setState({ connection }),
    );
    line.current = socket;
    const clock = window.setInterval(() => {
      const timeS = view.current?.presentS ?? newest.current?.timeS ?? Number.NaN;
      setState({ timeS: Math.floor(timeS), ageS: socket.ageS });
    }, 200);
    return () => {
      window.clearInterval(clock);
      socket.close();
      line.current = newest.current = null;
    };
  }, [city]);

  const Made = useMapPart(hidden);
  useEffect(() => {
    if (!city || !geometry || !place.current || !Made) return undefined;
    let map: CityMap;
    try {
      map = new Made.CityMap(
        place.current,
        city,
        geometry,
        getState().theme,
        {
          select: (row) => {
            fromMap.current = true;
            selectJunction(row);
          },
          hover: (row, x, y) => setHover(row === null ? null : { row, x, y }),
          zoom: (zoom) => setState({ zoom: Math.round(zoom * 10) / 10 }),
        },
        window.matchMedia('(prefers-reduced-motion: reduce)').matches,
      );
    } catch (error) {
      console.error(error);
      setFailed(text.noWebgl);
      return undefined;
    }
    view.current = map;
    map.rest(hidden);
    if (newest.current) map.take(newest.current);
    map.select(getState().selected, true);
    setState({ zoom: map.map.getZoom(), map });
    window.__civicbrain = { statistics: map.statistics, map: map.map, picture: map.picture, get toldMs() { return told.atMs; } };
    return () => {
      map.remove();
      view.current = null;
      setState({ map: null });
    };
  }, [city, geometry, Made]);

  useEffect(() => {
    view.current?.rest(hidden);
    line.current?.rest(hidden);
  }, [city, hidden]);
  useEffect(() => view.current?.setTheme(theme), [theme]);
  useEffect(() => {
    view.current?.select(selected, !fromMap.current);
    fromMap.current = false;
  }, [selected]);

  return (
    <div class="map">
      <div ref={place} class="map-place" role="application" aria-label={text.map} data-testid="map" />
      <div class="map-slot" data-slot="map" />
      {failed && <p class="map-failed">{failed}</p>}
      {hover && hover.row !== selected && <Tooltip hover={hover} view={view.current} />}
      <div class="zoom" role="group" aria-label={text.view.label}>
        <ViewButton icon="plus" label={text.view.zoomIn} onClick={() => view.current?.zoomBy(1)} />
        <ViewButton icon="minus" label={text.view.zoomOut} onClick={() => view.current?.zoomBy(-1)} />
        <ViewButton icon="fit" label={text.view.fit} onClick={() => view.current?.fit()} />
        <ViewButton icon="wall" label={text.view.wall} onClick={() => go('wall')} />
      </div>
    </div>
  );
}

function ViewButton({ icon, label, onClick }: { icon: string; label: string; onClick: () => void }): JSX.Element {
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={onClick} data-testid={`view-${icon}`}>
      <Icon name={icon} />
    </button>
  );
}

function Tooltip({ hover, view }: { hover: Hover; view: CityMap | null }): JSX.Element | null {
  const junction = useStore((s) => s.geometry)?.junctions[hover.row];
  useStore((s) => s.snapshot?.sequence); // drawn again as figures change
  if (!junction || !view) return null;
  const delay = view.frame?.delay[hover.row] ?? UNKNOWN_U16;
  const queue = view.frame?.queue[hover.row] ?? UNKNOWN_U16;
  return (
    <div class="tooltip" style={{ left: `${hover.x}px`, top: `${hover.y}px` }} aria-hidden="true" data-testid="tooltip">
      <b>{junction.name || junction.id}</b>
      <span>{delay === UNKNOWN_U16 ? text.tooltip.unknown : text.tooltip.delay(formatTenth(delay / 10))}</span>
      {queue !== UNKNOWN_U16 && <span>{text.tooltip.queue(formatWhole(queue / 10))}</span>}
    </div>
  );
}
