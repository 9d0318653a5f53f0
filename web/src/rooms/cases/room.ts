import { inLanguage } from '../../text/language';
import type { Room } from '../registry';
import { toDo } from './summary';

export const room: Room = {
  slug: 'cases',
  label: inLanguage({ en: 'Alarms', ko: '경보·상황', zh: '告警与案件' }),
  icon: 'cases',
  layout: 'panel',
  order: 10,
  needs: 'viewer',
  load: () => import('.').then((part) => part.CasesRoom),
  count: toDo,
};
