import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'corridor',
  label: inLanguage({ en: 'Corridor', ko: '연동 축', zh: '干线走廊' }),
  icon: 'corridor',
  layout: 'page',
  order: 30,
  needs: 'operator',
  load: () => import('.').then((part) => part.CorridorPage),
};
