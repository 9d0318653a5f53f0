import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'shift',
  label: inLanguage({ en: 'Shift', ko: '근무 교대', zh: '交接班' }),
  icon: 'shift',
  layout: 'page',
  order: 60,
  needs: 'viewer',
  load: () => import('./shift-room').then((part) => part.ShiftRoom),
};
