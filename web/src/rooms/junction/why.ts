/** Why this stage, in sentences: what is shown and by whom, then what the brain would do. No page in here. */

import type { CityGeometry, JunctionDetail } from '../../api/types';
import { formatClock, formatDuration, formatValue, formatWhole } from '../../format';
import { deciderWords } from '../../ledger/sentence';
import { personWords } from '../../state/takeovers';
import type { HeldFor } from '../../now/api';
import { nameVehicle } from '../../now/held-for';
import { progressOf, type Account } from './account';
import type { Override } from './api';
import type { Reasons } from './model';
import type { StageName } from './naming';
import { words } from './text';

/** What a brain said longer ago is not what it thinks now: it speaks each second where it may decide. */
export const FRESH_S = 5;

export interface Around {
  name: StageName;
  epoch: string;
  nowS: number;
  geometry: CityGeometry | null;
}

type Shown = Pick<JunctionDetail, 'stage' | 'explained_s'>;

/** What is shown, and by whom: first, because the lamps can be seen. */
export function tellAccount(account: Account, detail: Shown, around: Around): string {
  const { name, epoch, geometry } = around;
  const now = detail.stage === null ? words.why.now.between : name(detail.stage);
  const say = words.why.now;
  switch (account.by) {
    case 'override':
      return tellOverride(account.override, detail, around);
    case 'local':
      return say.own(now);
    case 'vehicle': {
      const who = nameVehicle(account.vehicle, geometry);
      const until = account.vehicle.until_s;
      const clock = until !== null && until > around.nowS ? formatClock(epoch, until) : '';
      return detail.stage === account.stage ? say.vehicle(now, who, clock) : say.vehicleComing(now, name(account.stage), who, clock);
    }
    case 'priority':
      return say.priority(now, deciderWords(account.who));
    case 'brain':
      return account.shows === 'chosen' ? say.brain(now) : '';
    default:
      return '';
  }
}

/** Who holds it, with which stage, since when and until when. */
function tellOverride(override: Override, detail: Shown, { name, epoch }: Around): string {
  const actor = personWords(override.actor);
  const { action, stage, reason, since_s: since, shown_s: shown, expires_s: until, duration_s: duration } = override;
  const say = words.why.now;
  const clock = (timeS: number): string => formatClock(epoch, timeS);
  if (action === 'local') return say.local(actor, reason, clock(since), clock(until));
  switch (progressOf(override, detail.stage)) {
    case 'clearing':
      return say.clearing(name(stage), actor, reason, clock(since), formatDuration(duration));
    case 'left':
      return say.left(detail.stage === null ? say.between : name(detail.stage), name(stage), actor, reason, clock(until));
    default:
      return say[action](name(stage), actor, reason, clock(shown ?? since), clock(until));
  }
}

/** What the brain wants, where that is not what is shown. Beside an override: what it would do now. */
export function tellWish(account: Account, { chosen }: Reasons, detail: Shown, { name, epoch, nowS }: Around): string {
  if (account.by === 'override') {
    if (detail.explained_s === null || nowS - detail.explained_s > FRESH_S) {
      return detail.explained_s === null ? words.why.silent : words.why.silentSince(formatClock(epoch, detail.explained_s));
    }
    if (detail.stage === null) return words.why.clearing; // nothing can be weighed until the lamps stand
    return !chosen ? '' : chosen === detail.stage ? words.why.goesOn(name(chosen)) : words.why.wouldChange(name(chosen));
  }
  if (!chosen) return '';
  if (account.by !== 'brain') return chosen === detail.stage ? words.why.goesOn(name(chosen)) : words.why.would(name(chosen));
  if (account.shows === 'chosen') return '';
  return account.shows === 'between' ? words.why.changing(name(chosen)) : words.why.next(name(detail.stage ?? ''), name(chosen));
}

/** The bus or emergency vehicle that it is for, and when that is expected. callSign: how a mission is called. */
export function tellVehicle({ bus, mission }: Reasons, { name, epoch }: Pick<Around, 'name' | 'epoch'>, callSign: (mission: string) => string): string {
  const vehicle = words.why.vehicle;
  if (bus) return vehicle.bus(bus.line, formatDuration(bus.behindS), vehicle.gets[bus.kind] ?? vehicle.getsOther, formatClock(epoch, bus.arrivalS));
  return mission ? vehicle.mission(callSign(mission.id), name(mission.stage), formatClock(epoch, mission.arrivalS)) : '';
}

/** The figures behind the brain's choice in words, "" where they do not tell it. */
export function tellFigures({ chosen, costs, worths }: Reasons, name: StageName): string {
  const mine = costs.find((one) => one.stage === chosen);
  if (mine) {
    const next = costs.find((one) => one.stage !== chosen);
    if (next && next.cost < mine.cost) return words.why.otherRule(name(chosen), formatWhole(mine.cost), name(next.stage), formatWhole(next.cost));
    if (next && formatWhole(next.cost) === formatWhole(mine.cost)) return words.why.tie(name(chosen), name(next.stage), formatWhole(mine.cost));
    const first = words.why.delay(name(chosen), formatWhole(mine.cost));
    if (!next) return first;
    return `${first} ${words.why.instead(name(next.stage), formatWhole(next.cost), formatWhole(next.cost - mine.cost))}`;
  }
  const worth = worths.find((one) => one.stage === chosen);
  const other = worths.find((one) => one.stage !== chosen);
  if (worth && other) return words.why.worth(name(chosen), formatValue(worth.cost), name(other.stage), formatValue(other.cost));
  return chosen && costs.length + worths.length <= 1 ? words.why.only(name(chosen)) : '';
}

/** What whoever takes the junction over must know: whom it is green for, or is being cleared for. */
export function warnOf(vehicle: HeldFor, shown: string | null, geometry: CityGeometry | null, epoch: string, nowS: number): string {
  const until = vehicle.until_s !== null && vehicle.until_s > nowS ? formatClock(epoch, vehicle.until_s) : '';
  const say = shown === vehicle.stage ? words.override.greenFor : words.override.clearedFor;
  return say(nameVehicle(vehicle, geometry), until);
}
