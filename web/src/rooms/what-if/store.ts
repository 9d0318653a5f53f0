/** What the room knows, and what it asks the API. */

import { ProblemError, request } from '../../api/client';
import type { JunctionDetail } from '../../api/types';
import { complain } from '../../state/actions';
import { makeStore } from '../../state/make-store';
import { go } from '../../state/route';
import type { Closure, Moment, ProposalsBrief, ProposalsView, WhatIf, WhatIfBrief, WhatIfOrder } from './types';

interface WhatIfState {
  briefs: readonly WhatIfBrief[];
  proposalBriefs: readonly ProposalsBrief[];
  moments: readonly Moment[];
  /** By id; the newest answers, as far as they were opened. */
  views: Readonly<Record<string, WhatIf>>;
  proposals: ProposalsView | null;
  loaded: boolean;
}

export const store = makeStore<WhatIfState>({ briefs: [], proposalBriefs: [], moments: [], views: {}, proposals: null, loaded: false });

export const isOpen = (state: string): boolean => state === 'queued' || state === 'running';
const path = (id: string): string => `/v1/what-ifs/${encodeURIComponent(id)}`;
export const isProposals = (id: string): boolean => id.startsWith('p-');

export async function refreshLists(): Promise<void> {
  try {
    const [briefs, proposalBriefs] = await Promise.all([
      request<WhatIfBrief[]>('GET', '/v1/what-ifs'),
      request<ProposalsBrief[]>('GET', '/v1/proposals'),
    ]);
    store.set({ briefs, proposalBriefs, loaded: true });
  } catch (error) {
    complain(error);
  }
}

export async function refreshMoments(): Promise<void> {
  try {
    store.set({ moments: await request<Moment[]>('GET', '/v1/moments') });
  } catch (error) {
    complain(error);
  }
}

export async function refreshView(id: string): Promise<void> {
  try {
    if (isProposals(id)) store.set({ proposals: await request<ProposalsView>('GET', `/v1/proposals/${encodeURIComponent(id)}`) });
    else store.set({ views: { ...store.get().views, [id]: await request<WhatIf>('GET', path(id)) } });
  } catch (error) {
    complain(error);
    if (error instanceof ProblemError && error.status === 404) go('what-if', '', {}, true);
  }
}

/** The answer's id, or why it was refused. */
export async function ask(order: WhatIfOrder): Promise<{ id: string } | { refused: string }> {
  try {
    const made = await request<WhatIf>('POST', '/v1/what-ifs', order);
    store.set({ views: { ...store.get().views, [made.id]: made } });
    void refreshLists();
    return { id: made.id };
  } catch (error) {
    if (error instanceof ProblemError && error.status !== 401) return { refused: error.why };
    complain(error);
    return { refused: '' };
  }
}

export async function forget(id: string): Promise<void> {
  try {
    await request('DELETE', path(id));
    go('what-if', '', {}, true);
    await refreshLists();
  } catch (error) {
    complain(error);
  }
}

export async function askProposals(closure: Closure, minutes: number): Promise<void> {
  try {
    const made = await request<ProposalsView>('POST', '/v1/proposals', { closure, minutes });
    store.set({ proposals: made });
    go('what-if', made.id);
    await refreshLists();
  } catch (error) {
    complain(error);
  }
}

export async function decide(id: string, index: number, accepted: boolean, reason: string): Promise<void> {
  try {
    store.set({ proposals: await request<ProposalsView>('POST', `/v1/proposals/${encodeURIComponent(id)}/decisions`, { index, accepted, reason }) });
  } catch (error) {
    complain(error);
  }
}

/** A junction's own plan, and whether it follows it now. */
export interface OwnPlan {
  steps: { stage: string; duration_s: number }[];
  offset_s: number;
  followed: boolean;
}

export async function localPlan(junction: string): Promise<OwnPlan | null> {
  try {
    const detail = await request<JunctionDetail & { local_plan: Omit<OwnPlan, 'followed'> }>('GET', `/v1/junctions/${encodeURIComponent(junction)}`);
    return { ...detail.local_plan, followed: detail.mode === 'local' };
  } catch (error) {
    complain(error);
    return null;
  }
}
