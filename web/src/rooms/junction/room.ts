import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'junction',
  label: inLanguage({ en: 'Junction', ko: '교차로', zh: '路口' }),
  icon: 'target',
  layout: 'panel',
  order: 10,
  needs: 'viewer',
  hidden: true,
  load: () => import('./junction-view').then((part) => part.JunctionView),
};
