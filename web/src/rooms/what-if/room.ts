import { inLanguage } from '../../text/language';
import type { Room } from '../registry';

export const room: Room = {
  slug: 'what-if',
  label: inLanguage({ en: 'What if', ko: '가상 실험', zh: '假设推演' }),
  icon: 'what_if',
  layout: 'page',
  order: 50,
  needs: 'viewer',
  load: () => import('./what-if-room').then((part) => part.WhatIfRoom),
};
