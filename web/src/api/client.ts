/** Requests to the API. Errors arrive as RFC 9457 problem documents and leave as ProblemError. */

import { words as errorWords } from '../errors/text';
import { errorSentences } from '../format';
import { text } from '../text';
import type { DispatchAnswer, DispatchQuestion, Mission, MissionBrief, MissionMade, MissionOrder } from './mission-types';
import type { Alert, CityGeometry, CityInfo, CityState, Controls, Health, JunctionDetail, LogInOrder, Session, TwinStatus } from './types';

const TIMEOUT_MS = 8000;
const SESSION = '/v1/session';

export class ProblemError extends Error {
  override name = 'ProblemError';
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail ? `${title}: ${errorSentences(detail)}` : title);
  }

  /** For who knows already that something was refused. */
  get why(): string {
    return this.detail ? errorSentences(this.detail) : this.title;
  }
}

let tellLoggedOut = (): void => undefined;

/** Be told of every answer that nobody is logged in. */
export function whenLoggedOut(tell: () => void): void {
  tellLoggedOut = tell;
}

/** One question to the API. Rooms ask their own with it. Throws ProblemError. */
export async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
    });
  } catch {
    throw new ProblemError(0, text.errors.unreachable, '');
  }
  if (response.ok) {
    try {
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch {
      throw new ProblemError(response.status, unreadable(path), '');
    }
  }
  if (response.status === 401 && path !== SESSION) tellLoggedOut();
  throw await problem(response);
}

/** In words what could not be read: nobody who watches a city knows addresses. */
export function unreadable(path: string): string {
  const part = text.errors.parts[/^\/v1\/([a-z-]+)/.exec(path)?.[1] ?? ''];
  return part ? text.errors.unreadableOf(part) : text.errors.unreadable;
}

export async function problem(response: Response): Promise<ProblemError> {
  try {
    const body = (await response.json()) as { title?: unknown; detail?: unknown };
    const title = errorWords.title[response.status] ?? (typeof body.title === 'string' ? body.title : text.errors.status(response.status));
    return new ProblemError(response.status, title, typeof body.detail === 'string' ? body.detail : '');
  } catch {
    return new ProblemError(response.status, text.errors.status(response.status), '');
  }
}

export const missionPath = (id: string): string => `/v1/missions/${encodeURIComponent(id)}`;

export const api = {
  city: (): Promise<CityInfo> => request('GET', '/v1/city'),
  geometry: (): Promise<CityGeometry> => request('GET', '/v1/city/geometry'),
  health: (): Promise<Health> => request('GET', '/v1/health'),
  session: (): Promise<Session> => request('GET', SESSION),
  logIn: (order: LogInOrder): Promise<Session> => request('POST', SESSION, order),
  logOut: (): Promise<{ provider_address: string }> => request('DELETE', SESSION),
  changePassword: (current: string, fresh: string): Promise<Session> => request('PUT', `${SESSION}/password`, { current, new: fresh }),
  activity: (): Promise<Session> => request('POST', `${SESSION}/activity`),
  snapshot: (): Promise<CityState> => request('GET', '/v1/snapshot'),
  controls: (): Promise<Controls> => request('GET', '/v1/controls'),
  alerts: (): Promise<Alert[]> => request('GET', '/v1/alerts'),
  junction: (id: string): Promise<JunctionDetail> => request('GET', `/v1/junctions/${encodeURIComponent(id)}`),
  switchBrain: (name: string, enabled: boolean, reason: string): Promise<unknown> =>
    request('PUT', `/v1/brains/${encodeURIComponent(name)}`, { enabled, reason }),
  setControl: (name: string, reason: string): Promise<unknown> => request('PUT', '/v1/control', { name, reason }),
  setTwin: (change: { paused?: boolean; speed?: number }): Promise<TwinStatus> => request('PATCH', '/v1/twin', change),
  missions: (limit: number): Promise<MissionBrief[]> => request('GET', `/v1/missions?limit=${limit}`),
  mission: (id: string): Promise<Mission> => request('GET', missionPath(id)),
  orderMission: (order: MissionOrder): Promise<MissionMade> => request('POST', '/v1/missions', order),
  cancelMission: (id: string, reason: string): Promise<unknown> => request('POST', `${missionPath(id)}/cancellation`, { reason }),
  dispatch: (question: DispatchQuestion): Promise<DispatchAnswer> => request('POST', '/v1/dispatch', question),
};
