/** What lies on the map: the frame that says "this is the past", and the bar with which one goes through it. */

import type { ComponentChildren, JSX } from 'preact';
import { formatAge, formatClock, formatDay } from '../../format';
import { go, HOME } from '../../state/route';
import { toast, useStore } from '../../state/store';
import { Icon } from '../../ui/icon';
import { nearestKept } from './model';
import { LONGEST_WINDOW_S, type Player } from './player';
import { Scrubber } from './scrubber';
import { getThen, spansOf, SPEEDS, useThen } from './store';
import { thenText as text } from './text';

export function Bar({ player }: { player: Player }): JSX.Element {
  return (
    <>
      <div class="then-frame" aria-hidden="true" />
      <Flag />
      <Gap player={player} />
      <section class="then-bar" aria-label={text.bar} data-testid="then-bar">
        <div class="then-controls">
          <Buttons player={player} />
          <Speeds player={player} />
          <State />
          <div class="spacer" />
          <button type="button" class="button tight" data-testid="then-share" onClick={() => void share(player)}>
            {text.share}
          </button>
        </div>
        <Scrubber player={player} />
      </section>
    </>
  );
}

/** Always to be seen: that this is not now, which moment it is, how long ago, and the way back. */
function Flag(): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const atS = useThen((s) => s.atS);
  const ageS = useStore((s) => Math.floor(s.snapshot?.time_s ?? s.timeS)) - Math.floor(atS);
  return (
    <div class="then-flag" role="status" aria-live="off" data-testid="then-flag">
      <span class="word">{text.flag}</span>
      <span class="moment">
        <span class="day">{formatDay(epoch, atS)}</span> <time data-testid="then-moment">{formatClock(epoch, atS)}</time>
      </span>
      <span class="ago" data-testid="then-age">
        {ageS >= 0 ? text.age(formatAge(ageS)) : text.ahead}
      </span>
      <button type="button" class="button primary tight" data-testid="then-back" onClick={() => go(HOME)}>
        {text.backToNow}
      </button>
    </div>
  );
}

function Buttons({ player }: { player: Player }): JSX.Element {
  const playing = useThen((s) => s.playing);
  const atS = useThen((s) => s.atS);
  const button = (label: string, keys: string, name: string, act: () => void, inside: ComponentChildren): JSX.Element => (
    <button type="button" aria-label={typeof inside === 'string' ? undefined : label} title={text.withKey(label, keys)} data-testid={`then-${name}`} onClick={act}>
      {inside}
    </button>
  );
  const jump = (bySeconds: number): void => {
    player.seek(atS + bySeconds);
    player.address();
  };
  return (
    <div class="segments">
      {button(text.jumpBack, '←', 'jump-back', () => jump(-5), '−5 s')}
      {button(text.before, ',', 'before', () => player.step(-1), <Icon name="step_back" />)}
      {button(playing ? text.pause : text.play, 'Space', 'play', () => player.toggle(), <Icon name={playing ? 'pause' : 'play'} />)}
      {button(text.after, '.', 'after', () => player.step(1), <Icon name="step_on" />)}
      {button(text.jumpOn, '→', 'jump-on', () => jump(5), '+5 s')}
    </div>
  );
}

function Speeds({ player }: { player: Player }): JSX.Element {
  const speed = useThen((s) => s.speed);
  return (
    <div class="segments" role="group" aria-label={text.speed}>
      {SPEEDS.map((one, k) => (
        <button
          key={one.factor}
          type="button"
          class={k === speed ? 'active' : ''}
          aria-pressed={k === speed}
          title={`${text.speed} (${k + 1})`}
          data-testid={`then-speed-${k + 1}`}
          onClick={() => player.setSpeed(k)}
        >
          {text.times(one.factor)}
        </button>
      ))}
    </div>
  );
}

function State(): JSX.Element {
  const shown = useThen((s) => s.shown);
  const source = useThen((s) => s.source);
  const trouble = useThen((s) => s.trouble);
  const words = trouble || (shown === 'waiting' ? text.waiting : shown === 'frames' && source === 'history' ? text.standsStill : '');
  return (
    <span class={`then-state ${trouble ? 'odd' : ''}`} role="status" data-testid="then-state" data-shown={shown} data-source={source}>
      {words}
    </span>
  );
}

/** Where the picture would be: that there is none, and the way to the nearest that there is. */
function Gap({ player }: { player: Player }): JSX.Element | null {
  const shown = useThen((s) => s.shown);
  const replay = useThen((s) => s.replay);
  const atS = useThen((s) => Math.floor(s.atS));
  const epoch = useStore((s) => s.city?.epoch ?? '');
  if (shown !== 'gap') return null;
  const nearestS = nearestKept(spansOf(replay, epoch), atS);
  const go = (timeS: number): void => {
    const { fromS, toS } = getThen();
    if (timeS < fromS || timeS > toS) player.setWindow(Math.min(fromS, timeS), Math.min(Math.max(toS, timeS), Math.min(fromS, timeS) + LONGEST_WINDOW_S));
    player.seek(timeS);
    player.address();
  };
  return (
    <div class="then-nothing" role="status" data-testid="then-gap">
      <p>{text.gap}</p>
      {nearestS !== null && (
        <button type="button" class="button" data-testid="then-nearest" onClick={() => go(nearestS)}>
          {text.toKept(formatClock(epoch, nearestS))}
        </button>
      )}
    </div>
  );
}

async function share(player: Player): Promise<void> {
  player.address();
  try {
    await navigator.clipboard.writeText(player.link());
    toast('note', text.shared);
  } catch {
    toast('note', text.notShared); // a browser that gives no clipboard to a page that is not secure
  }
}
