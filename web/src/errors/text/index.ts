import { inLanguage } from '../../text/language';
import { en } from './en';
import { ko } from './ko';
import { zh } from './zh';

export type { ErrorWords } from './en';
export const words = inLanguage({ en, ko, zh });
