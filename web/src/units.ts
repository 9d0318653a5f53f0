/** The units that this person reads in. The platform knows only metres and metres a second. */

import { language } from './text/language';

export const SPEED_UNITS = ['km/h', 'm/s', 'mph'] as const;
export const DISTANCE_UNITS = ['m', 'ft'] as const;
export type SpeedUnit = (typeof SPEED_UNITS)[number];
export type DistanceUnit = (typeof DISTANCE_UNITS)[number];

export interface Units {
  speed: SpeedUnit;
  distance: DistanceUnit;
}

// the international foot and mile (NIST SP 811, appendix B.8)
const FOOT_M = 0.3048;
const MILE_M = 1609.344;
const PER_MPS: Record<SpeedUnit, number> = { 'km/h': 3.6, 'm/s': 1, mph: 3600 / MILE_M };

const KEYS: Record<keyof Units, string> = { speed: 'civicbrain-speed-unit', distance: 'civicbrain-distance-unit' };
const locale = { en: 'en-GB', ko: 'ko-KR', zh: 'zh-CN' }[language];
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

const stored = <T extends string>(key: string, choices: readonly T[]): T => {
  const found = typeof localStorage === 'undefined' ? null : localStorage.getItem(key);
  return choices.find((choice) => choice === found) ?? choices[0];
};

let units: Units = { speed: stored(KEYS.speed, SPEED_UNITS), distance: stored(KEYS.distance, DISTANCE_UNITS) };

export const getUnits = (): Units => units;

/** Keep the choice for this person. Figures that stand on the page already follow when it starts anew. */
export function chooseUnits(change: Partial<Units>): void {
  units = { ...units, ...change };
  if (typeof localStorage === 'undefined') return;
  localStorage.setItem(KEYS.speed, units.speed);
  localStorage.setItem(KEYS.distance, units.distance);
}

/** A speed in the chosen unit, as a number. */
export const inSpeedUnit = (mps: number): number => mps * PER_MPS[units.speed];

/** A length in metres or feet, as a number. */
export const inDistanceUnit = (metres: number): number => (units.distance === 'ft' ? metres / FOOT_M : metres);

/** "42 km/h", "11.7 m/s", "26 mph". */
export function formatSpeed(mps: number): string {
  return `${(units.speed === 'm/s' ? tenth : whole).format(inSpeedUnit(mps))} ${units.speed}`;
}

/** "340 m", "2.3 km"; "1,115 ft", "1.4 mi". */
export function formatDistance(metres: number): string {
  if (units.distance === 'ft') {
    return metres < MILE_M / 2 ? `${whole.format(metres / FOOT_M)} ft` : `${tenth.format(metres / MILE_M)} mi`;
  }
  return metres < 995 ? `${whole.format(metres)} m` : `${tenth.format(metres / 1000)} km`;
}
