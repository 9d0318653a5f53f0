/** Says how old a panel's figures are, once they are older than they should be. */

import type { JSX } from 'preact';
import { useAgeS } from '../state/freshness';
import { text } from '../text';

export function Age(): JSX.Element | null {
  const ageS = useAgeS();
  if (!ageS) return null;
  // spoken once by the bar's state; here it counts on in silence
  return (
    <p class="figures-age" data-testid="age">
      {text.connection.age(duration(ageS))}
    </p>
  );
}

function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes ? `${minutes}:${String(seconds % 60).padStart(2, '0')}` : `${seconds} s`;
}
