import { inLanguage } from '../../text/language';
import { en, type NowText } from './en';
import { ko } from './ko';
import { zh } from './zh';

export const words: NowText = inLanguage({ en, ko, zh });
