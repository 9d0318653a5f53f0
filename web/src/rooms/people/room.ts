import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'people',
  label: inLanguage({ en: 'People', ko: '사용자', zh: '用户' }),
  icon: 'people',
  layout: 'page',
  order: 90,
  needs: 'administrator',
  load: () => import('.').then((part) => part.PeopleRoom),
};
