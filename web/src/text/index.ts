/** The catalogue in use. */
import { en, type Catalogue } from './en';

export const text: Catalogue = en;
