import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'wall',
  label: inLanguage({ en: 'Wall', ko: '상황판', zh: '大屏' }),
  icon: 'wall',
  layout: 'page',
  overMap: true,
  order: 90,
  needs: 'viewer',
  hidden: true, // from the map's own buttons: it takes the rail away
  load: () => import('./wall-view').then((part) => part.WallView),
};
