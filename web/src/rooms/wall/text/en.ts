/** Texts of the wall, in English. */

export const en = {
  label: 'Wall view: the city for the big screen',
  leave: 'Leave the wall view (Esc)',
  worst: 'Worst junctions',
  noWorst: 'Nowhere has a queue lasted',
  alarms: 'Open alarms',
  noAlarms: 'No alarm is open',
  more: (count: number) => `and ${count} more`,
  touring: (rank: number, name: string) => `${rank}. ${name}`,
  wholeCity: 'The whole city',
  usual: (value: string) => `usual ${value}`,
  fixed: (value: string) => `fixed plan ${value}`,
};

export type WallText = typeof en;
