/** The catalogue in use. */

import { en, type Catalogue } from './en';
import { ko } from './ko';
import { inLanguage } from './language';
import { zh } from './zh';

export const text: Catalogue = inLanguage({ en, ko, zh });
