/** The catalogue in use. */

import { en, type Catalogue } from './en';
import { inLanguage } from './language';

export const text: Catalogue = inLanguage({ en, ko: en, zh: en });
