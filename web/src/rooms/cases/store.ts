/** What the room knows, and how it reads it again: when the stream says that something has changed, and not more
 * often than once in `READ_EVERY_MS`. */

import type { AlarmList, AlarmView, CaseFile, CaseSummary, Evidence, Notice } from '../../api/case-types';
import { casesApi, type Which } from '../../api/cases';
import { ProblemError } from '../../api/client';
import { complain } from '../../state/actions';
import { getRoute } from '../../state/route';
import { makeStore } from '../../state/make-store';
import { pagesOf, sortCases, withoutClosed } from './model';
import { onCases } from './summary';

export const PAGE = 100;
const READ_EVERY_MS = 700;

/** Which alarms are listed one by one; null: groups only. */
export interface Opened {
  /** "" for all of `which`. */
  group: string;
  which: Which;
}

interface Desk {
  alarms: AlarmList | null;
  /** Pages of single alarms that have been read, by their offset. */
  pages: ReadonlyMap<number, readonly AlarmView[]>;
  opened: Opened | null;
  cases: readonly CaseSummary[] | null;
  /** Of all open ones, the list may be shorter. */
  openCount: number;
  file: CaseFile | null;
  /** The case in the address, where there is none of that name. */
  missing: string;
  notices: readonly Notice[];
  /** Shown once somebody has given a reason, and forgotten when they leave the case. */
  evidence: Evidence | null;
  recipients: readonly string[];
  /** Why nothing could be read, "" while all is well. */
  trouble: string;
}

const store = makeStore<Desk>({
  alarms: null,
  pages: new Map(),
  opened: null,
  cases: null,
  openCount: 0,
  file: null,
  missing: '',
  notices: [],
  evidence: null,
  recipients: [],
  trouble: '',
});

export const getDesk = store.get;
export const setDesk = store.set;
export const useDesk = store.use;
export const subscribeDesk = store.subscribe;

/** Rows of the open list that can be seen. */
let sight: [number, number] = [0, 0];
let looking = 0;
let layerOn = false;

/** The room is open, until what is returned is called. */
export function look(): () => void {
  looking++;
  void readAll();
  return () => void looking--;
}

/** The map shows cases too. */
export function lookFromMap(on: boolean): void {
  layerOn = on;
  if (on) void readCases();
}

export function openList(opened: Opened | null): void {
  const before = store.get().opened;
  if (before?.group === opened?.group && before?.which === opened?.which) return;
  sight = [0, PAGE];
  store.set({ opened, pages: new Map() });
  void readAlarms();
}

/** Rows first to last (exclusive) of the open list are in sight: have them read. */
export function showRows(first: number, last: number): void {
  sight = [first, last];
  const { opened, pages } = store.get();
  if (opened && pagesOf(first, last, PAGE).some((offset) => !pages.has(offset))) void readAlarms();
}

export async function readAll(): Promise<void> {
  await Promise.all([looking ? readAlarms() : null, readCases(), looking ? readFile() : null]);
}

/** One question at a time of each sort: who asks meanwhile has it asked once more. */
function single(act: () => Promise<void>): () => Promise<void> {
  let under: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    try {
      await act();
      if (store.get().trouble) store.set({ trouble: '' });
    } catch (error) {
      // the log-in asks by itself: the cases answer, only not to nobody
      if (!(error instanceof ProblemError && error.status === 401)) store.set({ trouble: error instanceof Error ? error.message : String(error) });
    }
    under = null;
    if (again) {
      again = false;
      await ask();
    }
  };
  const ask = (): Promise<void> => {
    if (under) again = true;
    else under = run();
    return under ?? Promise.resolve();
  };
  return ask;
}

export const readAlarms = single(async () => {
  const { opened } = store.get();
  if (!opened) {
    store.set({ alarms: await casesApi.alarms('', 'standing', 0, 1) });
    return;
  }
  const offsets = pagesOf(sight[0], Math.max(sight[1], sight[0] + 1), PAGE);
  const read = await Promise.all(offsets.map((offset) => casesApi.alarms(opened.group, opened.which, offset, PAGE)));
  if (store.get().opened !== opened) return;
  // what is out of sight is read again when it comes into it
  store.set({ alarms: read[0] ?? store.get().alarms, pages: new Map(read.map((list, k) => [offsets[k], list.alarms])) });
});

export const readCases = single(async () => {
  if (!looking && !layerOn) return;
  const page = await casesApi.open();
  store.set({ cases: sortCases(page.cases), openCount: page.count });
});

/** The case in the address, and its notices. */
export const readFile = single(async () => {
  const { room, item } = getRoute();
  if (room !== 'cases' || !/^case-\d+$/.test(item)) {
    if (store.get().file) store.set({ file: null, notices: [], evidence: null });
    return;
  }
  try {
    const [file, { notices }] = await Promise.all([casesApi.file(item), casesApi.notices(item)]);
    if (getRoute().item !== item) return;
    const { cases, openCount } = store.get();
    const open = cases && withoutClosed(cases, file);
    store.set({ file, notices, cases: open, openCount: openCount - ((cases?.length ?? 0) - (open?.length ?? 0)) });
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 404)) throw error;
    if (getRoute().item === item) store.set({ missing: item });
  }
});

export function openFile(): void {
  const { item } = getRoute();
  if (store.get().file?.case.id !== item) store.set({ file: null, notices: [], evidence: null, missing: '' });
  void readFile();
}

export async function readRecipients(): Promise<void> {
  if (store.get().recipients.length) return;
  try {
    store.set({ recipients: await casesApi.recipients() });
  } catch (error) {
    complain(error);
  }
}

let seen = -1;
let readAt = 0;
let timer = 0;
onCases((health) => {
  if (health.changes === seen || (!looking && !layerOn)) return;
  seen = health.changes;
  if (timer) return;
  const read = (): void => {
    timer = 0;
    readAt = Date.now();
    void readAll();
  };
  timer = window.setTimeout(read, Math.max(0, readAt + READ_EVERY_MS - Date.now()));
});
