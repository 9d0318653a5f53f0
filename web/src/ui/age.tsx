/** Says how old a panel's figures are, once they are older than they should be. */

import type { JSX } from 'preact';
import { formatDuration } from '../format';
import { useAgeS } from '../state/freshness';
import { text } from '../text';

export function Age(): JSX.Element | null {
  const ageS = useAgeS();
  if (!ageS) return null;
  // spoken once by the bar's state; here it counts on in silence
  return (
    <p class="figures-age" data-testid="age">
      {text.connection.age(formatDuration(ageS))}
    </p>
  );
}
