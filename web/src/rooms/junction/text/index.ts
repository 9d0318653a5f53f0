import { inLanguage } from '../../../text/language';
import { en, type JunctionText } from './en';
import { ko } from './ko';
import { zh } from './zh';

export const words: JunctionText = inLanguage({ en, ko, zh });
