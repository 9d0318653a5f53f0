/** The city's own hours. A city may name its IANA zone, which knows when clocks change; else the offset that
 * its epoch is written in holds all the year round. */

import { text } from './text';
import { language } from './text/language';

const LOCALES = { en: 'en-GB', ko: 'ko-KR', zh: 'zh-CN' } as const;
/** "CET" is CET in every language; other locales than this write "GMT+1". */
const ZONE_NAMES = 'en-GB';
const HOURS = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;

interface Zone {
  name: string;
  clock: Intl.DateTimeFormat;
  day: Intl.DateTimeFormat;
  short: Intl.DateTimeFormat;
}
let zone: Zone | null = null;

/** Set once the city is known; "" or a name that this browser does not know: by the epoch's offset. */
export function setCityZone(name: string): void {
  zone = null;
  if (!name) return;
  try {
    const locale = LOCALES[language];
    zone = {
      name,
      clock: new Intl.DateTimeFormat('en-GB', { ...HOURS, timeZone: name }),
      day: new Intl.DateTimeFormat(locale, { ...DAY, timeZone: name }),
      short: new Intl.DateTimeFormat(ZONE_NAMES, { timeZone: name, timeZoneName: 'short' }),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** Minutes that an ISO instant's own offset is ahead of UTC. */
export function offsetMinutes(epoch: string): number {
  const match = /([+-])(\d\d):?(\d\d)$/.exec(epoch);
  if (!match) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

const instant = (epoch: string, timeS: number): Date => {
  const start = Date.parse(epoch);
  return new Date((Number.isNaN(start) ? 0 : start) + Math.floor(timeS) * 1000);
};

/** With the epoch's offset added, so that its UTC fields are the city's. */
const shifted = (epoch: string, timeS: number): Date => {
  const known = !Number.isNaN(Date.parse(epoch));
  return new Date(instant(epoch, timeS).getTime() + (known ? offsetMinutes(epoch) * 60_000 : 0));
};

/** Clock of the city, HH:MM:SS. timeS: seconds since the epoch. */
export function formatClock(epoch: string, timeS: number): string {
  return zone ? zone.clock.format(instant(epoch, timeS)) : shifted(epoch, timeS).toISOString().slice(11, 19);
}

/** Day in the city, as the page's language writes it. */
export function formatDay(epoch: string, timeS: number): string {
  if (zone) return zone.day.format(instant(epoch, timeS));
  return new Intl.DateTimeFormat(LOCALES[language], { ...DAY, timeZone: 'UTC' }).format(shifted(epoch, timeS));
}

/** Day and clock. */
export const formatMoment = (epoch: string, timeS: number): string => `${formatDay(epoch, timeS)} ${formatClock(epoch, timeS)}`;

/** A real instant in the city's zone, with its day, and said to be real: a twin's own clock is another. */
export function formatRealTime(iso: string): string {
  const moment = formatRealMoment(iso);
  return moment === text.indicators.unknown ? moment : text.clock.real(moment, zoneOf(new Date(iso)));
}

/** The same where the kind of the time stands beside it already. */
export function formatRealMoment(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return text.indicators.unknown;
  const fields = { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const where = zone ? { timeZone: zone.name } : {};
  return new Intl.DateTimeFormat(LOCALES[language], { ...fields, ...where }).format(at);
}

/** The zone that a real instant is shown in, in short. */
export function zoneOf(at: Date): string {
  const format = zone?.short ?? new Intl.DateTimeFormat(ZONE_NAMES, { timeZoneName: 'short' });
  return format.formatToParts(at).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** The zone that holds at that moment, in short: "CET", "GMT+9", "UTC", "UTC+05:30". */
export function formatZone(epoch: string, timeS: number): string {
  if (zone) {
    const parts = zone.short.formatToParts(instant(epoch, timeS));
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? zone.name;
  }
  const minutes = offsetMinutes(epoch);
  if (minutes === 0) return 'UTC';
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** The zone by its full name where it has one: "Europe/Berlin". */
export const zoneName = (epoch: string): string => zone?.name ?? formatZone(epoch, 0);
