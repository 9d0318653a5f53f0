/** A room, fetched when somebody comes in; and the rail that leads to the rooms. */

import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { findRoom, layoutOf, ROOMS, type Room } from '../rooms/registry';
import { partFailed, useRenewed } from '../state/renewal';
import { go, HOME, useRoute } from '../state/route';
import { setState, useStore } from '../state/store';
import { useMay } from '../state/user';
import { text } from '../text';
import { Age } from './age';
import { Icon } from './icon';

/** A room's part that has not come by then is said to be missing; it is shown all the same when it comes. */
const LONGEST_LOAD_MS = 20_000;

export function RoomHost({ room }: { room: Room }): JSX.Element {
  const allowed = useMay(room.needs);
  const [part, setPart] = useState<{ View: ComponentType } | null>(null);
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!allowed) return undefined;
    setFailed(false);
    const timer = window.setTimeout(() => setFailed(true), LONGEST_LOAD_MS);
    room.load().then(
      (View) => setPart({ View }),
      (error: unknown) => void partFailed(error).then(() => setFailed(true)),
    );
    return () => window.clearTimeout(timer);
  }, [room, allowed, tries]);
  return (
    <div class="room" data-testid={`room-${room.slug}`}>
      <Age />
      {!allowed ? (
        <p class="muted room-loading">{text.rail.notYours}</p>
      ) : part ? (
        <part.View />
      ) : failed ? (
        <CouldNotLoad onAgain={() => setTries(tries + 1)} />
      ) : (
        <p class="muted room-loading">{text.rail.loading}</p>
      )}
    </div>
  );
}

function CouldNotLoad({ onAgain }: { onAgain: () => void }): JSX.Element {
  const renewed = useRenewed();
  return (
    <div class="room-loading" role="alert" data-testid="room-failed">
      <p>{renewed ? text.rail.gone : text.rail.failed}</p>
      {!renewed && (
        <div class="tools">
          <button type="button" class="button" data-testid="room-again" onClick={onAgain}>
            {text.rail.again}
          </button>
          <button type="button" class="link" onClick={() => location.reload()}>
            {text.renewed.reload}
          </button>
        </div>
      )}
    </div>
  );
}

/** A room that stands where the map stands; nothing when the map is to be seen. */
export function PageRoom(): JSX.Element | null {
  const room = findRoom(useRoute((route) => route.room));
  const query = useRoute((route) => route.query);
  if (!room || layoutOf(room, query) !== 'page') return null;
  return (
    <div class="page-room" tabIndex={-1}>
      <RoomHost key={room.slug} room={room} />
    </div>
  );
}

export function Rail(): JSX.Element {
  return (
    <nav class="rail" aria-label={text.rail.label}>
      <RailButton slug={HOME} label={text.rail.now} icon="city" count={0} />
      {ROOMS.filter((room) => !room.hidden).map((room) => (
        <RoomButton key={room.slug} room={room} />
      ))}
    </nav>
  );
}

/** The button of the rail that stands for a place: that of its room, else the city's. */
function railOf(slug: string): string {
  const room = findRoom(slug);
  return room && !room.hidden ? room.slug : HOME;
}

function RoomButton({ room }: { room: Room }): JSX.Element | null {
  const count = useStore(() => room.count?.() ?? 0);
  const allowed = useMay(room.needs);
  return allowed ? <RailButton slug={room.slug} label={room.label} icon={room.icon} count={count} /> : null;
}

function RailButton({ slug, label, icon, count }: { slug: string; label: string; icon: string; count: number }): JSX.Element {
  const here = useRoute((route) => railOf(route.room) === slug);
  const enter = (): void => {
    setState({ panelOpen: true });
    go(slug);
  };
  return (
    <button type="button" aria-current={here ? 'page' : undefined} data-testid={`rail-${slug}`} onClick={enter}>
      <Icon name={icon} />
      <span>{label}</span>
      {count > 0 && (
        <span class="count" aria-label={text.rail.count(count)}>
          {count > 99 ? '99+' : count}
        </span>
      )}
    </button>
  );
}
