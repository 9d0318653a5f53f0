import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'then',
  label: inLanguage({ en: 'Replay', ko: '지난 상황', zh: '历史回放' }),
  icon: 'then',
  layout: 'panel',
  order: 40,
  needs: 'operator',
  load: () => import('.').then((part) => part.ThenPanel),
};
