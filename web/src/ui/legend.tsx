/** What the colours mean, for the zoom at hand. */

import type { JSX } from 'preact';
import { css, DELAY_STEPS_S, PALETTES } from '../map/palette';
import { useStore } from '../state/store';
import { text } from '../text';

/** Zoom from which signal heads stand where the circles were. */
const HEADS_ZOOM = 16.1;

export function Legend(): JSX.Element {
  const palette = PALETTES[useStore((s) => s.theme)];
  const heads = useStore((s) => s.zoom >= HEADS_ZOOM);
  const ramp = palette.delay.map((colour, step) => `${css(colour)} ${(100 * step) / (palette.delay.length - 1)}%`).join(', ');
  const lamps = palette.lamps;
  return (
    <section class="legend" aria-label={text.legend.label} data-testid="legend">
      {heads ? (
        <div>
          <h2>{text.legend.heads}</h2>
          <ul class="keys">
            <Key colour={css(lamps.green)} word={text.legend.green} shape="head" />
            <Key colour={css(lamps.permitted)} word={text.legend.yields} shape="head" />
            <Key colour={css(lamps.yellow)} word={text.legend.yellow} shape="head" />
            <Key colour={css(lamps.red)} word={text.legend.red} shape="head" />
          </ul>
        </div>
      ) : (
        <div>
          <h2>{text.legend.delay}</h2>
          <div class="ramp" style={{ background: `linear-gradient(to right, ${ramp})` }} />
          <div class="ticks">
            {DELAY_STEPS_S.map((step, k) => (
              <span key={step}>{k === DELAY_STEPS_S.length - 1 ? `${step}+` : step}</span>
            ))}
          </div>
          <ul class="keys">
            <Key colour={css(palette.unknown)} word={text.legend.unknown} shape="round" />
          </ul>
        </div>
      )}
      <div>
        <h2>{text.legend.vehicles}</h2>
        <ul class="keys">
          <Key colour={css(palette.moving)} word={text.legend.moving} shape="car" />
          <Key colour={css(palette.standing)} word={text.legend.standing} shape="car" />
          <Key colour={css(palette.transit)} word={text.legend.transit} shape="car" />
        </ul>
      </div>
    </section>
  );
}

function Key({ colour, word, shape }: { colour: string; word: string; shape: string }): JSX.Element {
  return (
    <li>
      <span class={`key ${shape}`} style={{ background: colour }} />
      {word}
    </li>
  );
}
