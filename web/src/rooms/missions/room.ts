import { getState } from '../../state/store';
import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'missions',
  label: inLanguage({ en: 'Missions', ko: '긴급 출동', zh: '紧急任务' }),
  icon: 'mission',
  layout: 'panel',
  order: 20,
  needs: 'viewer',
  load: () => import('.').then((part) => part.MissionsPanel),
  count: () => getState().snapshot?.missions.length ?? 0,
};
