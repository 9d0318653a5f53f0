/** Texts of the wall, in Chinese. */

import type { WallText } from './en';

export const zh: WallText = {
  label: '大屏：全城概况',
  leave: '退出大屏（Esc）',
  worst: '最差路口',
  noWorst: '没有持续排队的路口',
  alarms: '当前告警',
  noAlarms: '当前没有告警',
  more: (count) => `另有 ${count} 条`,
  touring: (rank, name) => `${rank}. ${name}`,
  wholeCity: '全城',
  usual: (value) => `平日 ${value}`,
  fixed: (value) => `固定配时 ${value}`,
};
