import { inLanguage } from '../../../text/language';
import { en } from './en';
import { ko } from './ko';
import { zh } from './zh';

export const peopleText = inLanguage({ en, ko, zh });
