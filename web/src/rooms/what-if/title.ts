/** How a what-if is called: as somebody has named it, else by what it changes. */

import { partsOf } from './change';
import { words } from './text';
import type { Question } from './types';

export const titleOf = (one: { title: string; question: Question; id: string }): string =>
  one.title || partsOf(one.question.change, words.change).join(', ') || one.id;
