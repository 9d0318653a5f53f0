/** Texts of the wall, in Korean. */

import type { WallText } from './en';

export const ko: WallText = {
  label: '상황판: 대형 화면용 도시 현황',
  leave: '상황판 나가기 (Esc)',
  worst: '최악 교차로',
  noWorst: '대기행렬이 이어진 곳 없음',
  alarms: '발생 중인 경보',
  noAlarms: '발생 중인 경보 없음',
  more: (count) => `외 ${count}건`,
  touring: (rank, name) => `${rank}. ${name}`,
  wholeCity: '도시 전체',
  usual: (value) => `평상시 ${value}`,
  fixed: (value) => `정주기 ${value}`,
};
