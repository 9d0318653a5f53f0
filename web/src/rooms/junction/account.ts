/** Who has the junction now and what is shown, before any wish of a brain. No page in here. */

import type { JunctionDetail } from '../../api/types';
import type { HeldFor } from '../../now/api';
import type { Override, Recent } from './api';

export type Account =
  | { by: 'override'; override: Override }
  | { by: 'local' }
  | { by: 'vehicle'; vehicle: HeldFor; stage: string }
  | { by: 'priority'; who: string; stage: string }
  | { by: 'brain'; shows: 'chosen' | 'other' | 'between' }
  | { by: 'nobody' };

const OWN = new Set(['local', 'startup', 'flashing', 'program']);

/** chosen: the stage that the brain's explanation speaks of, "" for none. An override goes before all, then a
 * controller that follows nobody, then missions and buses; only then is it the brain's choice that is shown. */
export function accountOf(detail: Pick<JunctionDetail, 'mode' | 'stage'>, recent: Pick<Recent, 'override' | 'holder' | 'held_for'> | null, chosen: string): Account {
  const [override, holder] = [recent?.override ?? null, recent?.holder ?? null];
  if (override) return { by: 'override', override };
  if (detail.mode !== null && OWN.has(detail.mode)) return { by: 'local' };
  if (recent?.held_for) return { by: 'vehicle', vehicle: recent.held_for, stage: recent.held_for.stage };
  if (holder && holder.brain !== 'signals' && holder.brain !== 'operator') return { by: 'priority', who: holder.brain, stage: holder.what };
  if (!chosen) return { by: 'nobody' };
  return { by: 'brain', shows: detail.stage === null ? 'between' : detail.stage === chosen ? 'chosen' : 'other' };
}

/** How far an override is: its time runs from when its stage is shown. */
export type Progress = 'runs' | 'clearing' | 'left';

export function progressOf({ action, stage, shown_s: shownS }: Override, shown: string | null): Progress {
  if (action === 'local') return 'runs';
  if (shownS === null) return 'clearing';
  return shown === stage ? 'runs' : 'left';
}
