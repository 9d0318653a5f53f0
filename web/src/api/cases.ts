/** Calls about cases, alarms, reports and shifts. Each throws ProblemError. */

import type {
  AlarmFile,
  AlarmList,
  CaseFile,
  CasePage,
  CaseState,
  CaseSummary,
  CaseUrgency,
  Evidence,
  Handover,
  Notice,
  Outcome,
  Quality,
  ReportMade,
  ReportOrder,
  Signature, SignedNote,
} from './case-types';
import { request } from './client';

export type Which = 'standing' | 'shelved' | 'all';
/** Alarms by their ids, or all of a group. */
export type AlarmChoice = { alarms: number[] } | { group: string };

interface Move {
  to: CaseState;
  outcome?: Outcome;
  assigned_to?: string;
  reason?: string;
  version?: number;
}

const path = (id: string): string => `/v1/cases/${encodeURIComponent(id)}`;

/** A list of what stands may be as long as it takes; the page shows the first of it. */
export const MOST_CASES = 500;

export const casesApi = {
  open: (): Promise<CasePage> => request('GET', `/v1/cases?open=true&limit=${MOST_CASES}`),
  all: (limit: number): Promise<CasePage> => request('GET', `/v1/cases?limit=${limit}`),
  file: (id: string): Promise<CaseFile> => request('GET', path(id)),
  move: (id: string, move: Move): Promise<CaseSummary> => request('POST', `${path(id)}/moves`, move),
  assign: (id: string, to: string): Promise<CaseSummary> => request('PUT', `${path(id)}/assignment`, { to }),
  handOver: (id: string, to: string, reason: string): Promise<CaseSummary> => request('PUT', `${path(id)}/holder`, { to, reason }),
  urgency: (id: string, to: CaseUrgency, reason: string): Promise<CaseSummary> => request('PUT', `${path(id)}/urgency`, { to, reason }),
  note: (id: string, text: string, key: string): Promise<CaseSummary> => request('POST', `${path(id)}/notes`, { text, key }),
  step: (id: string, step: string, state: 'done' | 'skipped', reason: string): Promise<CaseSummary> =>
    request('PUT', `${path(id)}/steps/${encodeURIComponent(step)}`, { state, reason }),
  merge: (id: string, into: string, reason: string): Promise<CaseSummary> => request('POST', `${path(id)}/merger`, { into, reason }),
  notify: (id: string, recipient: string, reason: string): Promise<CaseSummary> => request('POST', `${path(id)}/notices`, { recipient, reason }),
  linkWhatIf: (id: string, whatIf: string, title: string): Promise<CaseSummary> =>
    request('POST', `${path(id)}/what-ifs`, { what_if: whatIf, title }),
  evidence: (id: string, reason: string): Promise<Evidence> => request('POST', `${path(id)}/evidence`, { reason }),
  notices: (id: string): Promise<{ notices: Notice[] }> => request('GET', `/v1/notices?case=${encodeURIComponent(id)}`),
  sendAgain: (notice: number): Promise<Notice> => request('POST', `/v1/notices/${notice}/attempts`, {}),
  recipients: (): Promise<string[]> => request('GET', '/v1/recipients'),
  report: (order: ReportOrder): Promise<ReportMade> => request('POST', '/v1/reports', order),
  whatIfs: (): Promise<{ id: string; state: string }[]> => request('GET', '/v1/what-ifs'),

  alarms: (group: string, which: Which, offset: number, limit: number): Promise<AlarmList> =>
    request('GET', `/v1/alarms?which=${which}&offset=${offset}&limit=${limit}${group ? `&group=${group}` : ''}`),
  alarm: (id: number): Promise<AlarmFile> => request('GET', `/v1/alarms/${id}`),
  acknowledge: (choice: AlarmChoice): Promise<{ alarms: number }> => request('POST', '/v1/alarms/acknowledgements', choice),
  shelve: (choice: AlarmChoice, forS: number, reason: string): Promise<{ alarms: number }> =>
    request('POST', '/v1/alarms/shelvings', { ...choice, for_s: forS, reason }),
  unshelve: (choice: AlarmChoice): Promise<{ alarms: number }> => request('POST', '/v1/alarms/unshelvings', choice),

  handover: (hours: number): Promise<Handover> => request('GET', `/v1/handover?hours=${hours}`),
  sign: (to: string, hours: number, remark: string): Promise<Signature> => request('POST', '/v1/handovers', { to, hours, remark }),
  signatures: (): Promise<Signature[]> => request('GET', '/v1/handovers?limit=20'),
  signed: (id: number): Promise<SignedNote> => request('GET', `/v1/handovers/${id}`),
  take: (id: number): Promise<Signature> => request('POST', `/v1/handovers/${id}/acceptance`, {}),
  quality: (week: string): Promise<Quality> => request('GET', `/v1/quality${week ? `?week=${week}` : ''}`),
};
