import { inLanguage } from '../../../text/language';
import { en, type WallText } from './en';
import { ko } from './ko';
import { zh } from './zh';

export const words: WallText = inLanguage({ en, ko, zh });
