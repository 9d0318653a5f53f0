import { inLanguage } from '../../../text/language';
import { en } from './en';

export const missionText = inLanguage({ en, ko: en, zh: en });
