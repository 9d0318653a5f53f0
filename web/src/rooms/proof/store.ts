/** What the room knows, and what it asks the API. */

import { ProblemError, request } from '../../api/client';
import { complain } from '../../state/actions';
import { makeStore } from '../../state/make-store';
import { go } from '../../state/route';
import type { StudyBrief, StudyOptions, StudyOrder, StudyResult, StudyView } from './types';

interface ProofState {
  briefs: readonly StudyBrief[];
  loaded: boolean;
  options: StudyOptions | null;
  view: StudyView | null;
  result: StudyResult | null;
}

export const store = makeStore<ProofState>({ briefs: [], loaded: false, options: null, view: null, result: null });

export const isOpen = (state: string): boolean => state === 'queued' || state === 'running';
const path = (id: string): string => `/v1/studies/${encodeURIComponent(id)}`;
export const filePath = (id: string, file: string): string => `${path(id)}/files/${file}`;

export async function refreshList(): Promise<void> {
  try {
    store.set({ briefs: await request<StudyBrief[]>('GET', '/v1/studies'), loaded: true });
  } catch (error) {
    complain(error);
  }
}

export async function loadOptions(): Promise<void> {
  if (store.get().options) return;
  try {
    store.set({ options: await request<StudyOptions>('GET', '/v1/study-options') });
  } catch (error) {
    complain(error);
  }
}

/** The study, and what it found once it is done. */
export async function refreshView(id: string): Promise<void> {
  try {
    const view = await request<StudyView>('GET', path(id));
    store.set({ view });
    if (view.brief.state !== 'done' || store.get().result?.id === id) return;
    store.set({ result: await request<StudyResult>('GET', `${path(id)}/result`) });
  } catch (error) {
    complain(error);
    if (error instanceof ProblemError && error.status === 404) go('proof', '', {}, true);
  }
}

export async function order(asked: StudyOrder): Promise<string | null> {
  try {
    const view = await request<StudyView>('POST', '/v1/studies', asked);
    store.set({ view });
    void refreshList();
    return view.brief.id;
  } catch (error) {
    complain(error);
    return null;
  }
}

export async function cancel(id: string): Promise<void> {
  try {
    store.set({ view: await request<StudyView>('DELETE', path(id)) });
    await refreshList();
  } catch (error) {
    complain(error);
  }
}

export async function goOn(id: string): Promise<void> {
  try {
    store.set({ view: await request<StudyView>('POST', `${path(id)}/continuation`, {}) });
    await refreshList();
  } catch (error) {
    complain(error);
  }
}
