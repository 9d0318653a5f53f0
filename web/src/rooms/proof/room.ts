import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'proof',
  label: inLanguage({ en: 'Proof', ko: '전후 평가', zh: '前后评估' }),
  icon: 'proof',
  layout: 'page',
  order: 60,
  needs: 'viewer',
  load: () => import('./proof-room').then((part) => part.ProofRoom),
};
