import { inLanguage } from '../../text/language';
import { en, type AlertText } from './en';
import { ko } from './ko';
import { zh } from './zh';

export const alertText: AlertText = inLanguage({ en, ko, zh });
