/** What people do with alarms and cases. Each asks the API; its refusal is shown with what to do. */

import type { AlarmGroup, AlarmView, CaseFile, CaseState, CaseStep, CaseUrgency, Outcome } from '../../api/case-types';
import { OUTCOMES, URGENCY_LEVELS } from '../../api/case-types';
import { casesApi, type AlarmChoice } from '../../api/cases';
import { formatWhole } from '../../format';
import { go } from '../../state/route';
import { toast } from '../../state/store';
import { may } from '../../state/user';
import { withMap } from '../../state/with-map';
import { ask, type Field } from './ask';
import { forward, holding } from './model';
import { getDesk, readAll, readRecipients, setDesk } from './store';
import { casesText } from './text';
import { placeWords } from './words';

/** Do it and read again; "" or why it was refused. */
async function attempt(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    void readAll(); // also when it was refused: that was often decided on something old
  }
}

/** The same where no question is open that could show the refusal. */
async function act(what: () => Promise<unknown>): Promise<void> {
  const refusal = await attempt(what);
  if (refusal) toast('error', refusal);
}

function allowed(): boolean {
  if (may('operator')) return true;
  toast('error', casesText.readOnly);
  return false;
}

const whyField: Field = { name: 'reason', label: casesText.ask.reason, kind: 'line', required: true };
const whyMaybe: Field = { name: 'reason', label: casesText.ask.reasonMaybe, kind: 'line' };

// -- alarms

/** The API takes ids of single alarms, or a group; "rest" is no group, and its alarms are named one by one. */
async function choiceOf(group: AlarmGroup): Promise<AlarmChoice> {
  if (group.id !== 'rest') return { group: group.id };
  return { alarms: (await casesApi.alarms('rest', 'standing', 0, 1000)).alarms.map((one) => one.id) };
}

export function acknowledgeAlarm(alarm: AlarmView): void {
  if (allowed() && ['unacknowledged', 'returned', 'shelved'].includes(alarm.state)) {
    void act(async () => toast('note', casesText.alarms.noted((await casesApi.acknowledge({ alarms: [alarm.id] })).alarms)));
  }
}

export function acknowledgeGroup(group: AlarmGroup): void {
  if (!allowed() || group.unacknowledged === 0) return;
  void act(async () => toast('note', casesText.alarms.noted((await casesApi.acknowledge(await choiceOf(group))).alarms)));
}

function askShelving(title: string, choice: () => Promise<AlarmChoice>): void {
  const words = casesText.shelving;
  if (!allowed()) return;
  ask({
    title,
    explain: words.explain,
    fields: [
      { name: 'for', label: words.forHow, kind: 'choice', value: '3600', options: Object.entries(words.duration) },
      { ...whyField, label: words.reason },
    ],
    confirm: words.title,
    act: ({ for: forS, reason }) =>
      attempt(async () => toast('note', casesText.alarms.wasShelved((await casesApi.shelve(await choice(), Number(forS), reason)).alarms))),
  });
}

export const shelveAlarm = (alarm: AlarmView): void => {
  if (alarm.state !== 'shelved') askShelving(casesText.shelving.one, () => Promise.resolve({ alarms: [alarm.id] }));
};

export const shelveGroup = (group: AlarmGroup): void =>
  askShelving(casesText.shelving.group(formatWhole(group.alarms)), () => choiceOf(group));

export function unshelveAlarm(alarm: AlarmView): void {
  if (allowed() && alarm.state === 'shelved') {
    void act(async () => toast('note', casesText.alarms.wasUnshelved((await casesApi.unshelve({ alarms: [alarm.id] })).alarms)));
  }
}

/** What an alarm is about: its case, or its junction on the map, or a report that opens a case. */
export function openAlarm(alarm: AlarmView): void {
  if (alarm.case) go('cases', alarm.case);
  else reportFrom(alarm);
}

/** A new report, at the junction of an alarm where it has one. */
export function reportFrom(alarm: AlarmView | null): void {
  go('cases', 'new', alarm?.junction ? { junction: alarm.junction } : {});
}

// -- cases

export function move(file: CaseFile, to: CaseState): void {
  const { id, version, state } = file.case;
  const words = casesText.ask;
  if (!allowed()) return;
  if (to === 'closed') return closeCase(file);
  if (state === 'closed') {
    return ask({
      title: words.reopenTitle(id),
      fields: [whyField],
      confirm: words.reopenConfirm,
      act: ({ reason }) => attempt(() => casesApi.move(id, { to, reason, version })),
    });
  }
  if (to === 'assignment' && forward(state, file.moves) === to) {
    return ask({
      title: words.moveTitle(id, casesText.state[to]),
      explain: holding(file).length ? casesText.file.held(holding(file)[0].title) : undefined,
      fields: [{ name: 'who', label: words.whoGoes, kind: 'line', value: file.case.assigned_to, required: true, most: 80, known: knownNames() }],
      confirm: words.moveConfirm,
      act: ({ who }) => attempt(() => casesApi.move(id, { to, version, assigned_to: who })),
    });
  }
  void act(() => casesApi.move(id, { to, version }));
}

/** The way forward, as one key. */
export function moveOn(file: CaseFile): void {
  const to = forward(file.case.state, file.moves);
  if (to) move(file, to);
}

export function closeCase(file: CaseFile): void {
  const { id, version } = file.case;
  if (!allowed() || !file.moves.includes('closed')) return;
  ask({
    title: casesText.ask.closeTitle(id),
    explain: holding(file).length ? casesText.file.held(holding(file)[0].title) : undefined,
    fields: [
      { name: 'outcome', label: casesText.ask.outcome, kind: 'choice', value: 'resolved', options: OUTCOMES.map((one) => [one, casesText.outcome[one]]) },
      whyMaybe,
    ],
    confirm: casesText.ask.closeConfirm,
    act: ({ outcome, reason }) => attempt(() => casesApi.move(id, { to: 'closed', outcome: outcome as Outcome, reason, version })),
  });
}

export function tick(file: CaseFile, step: CaseStep): void {
  if (allowed() && step.state === 'open') void act(() => casesApi.step(file.case.id, step.id, 'done', ''));
}

/** Done, and what it found: some steps ask for an answer. */
export function tickSaying(file: CaseFile, step: CaseStep): void {
  if (!allowed() || step.state !== 'open') return;
  ask({
    title: casesText.ask.doneTitle,
    explain: step.title,
    fields: [{ name: 'said', label: casesText.ask.doneSaying, kind: 'lines', required: true, most: 500 }],
    confirm: casesText.file.done,
    act: ({ said }) => attempt(() => casesApi.step(file.case.id, step.id, 'done', said.replace(/\s+/g, ' '))),
  });
}

export function skip(file: CaseFile, step: Pick<CaseStep, 'id' | 'title' | 'state'>, title = casesText.ask.skipTitle): void {
  if (!allowed() || step.state !== 'open') return;
  ask({
    title,
    explain: step.title,
    fields: [whyField],
    confirm: casesText.ask.skipConfirm,
    act: ({ reason }) => attempt(() => casesApi.step(file.case.id, step.id, 'skipped', reason)),
  });
}

export function assign(file: CaseFile): void {
  const { id, assigned_to } = file.case;
  if (!allowed()) return;
  ask({
    title: casesText.ask.assignTitle(id),
    fields: [{ name: 'who', label: casesText.ask.whoGoes, kind: 'line', value: assigned_to, required: true, most: 80, known: knownNames() }],
    confirm: casesText.ask.assignConfirm,
    act: ({ who }) => attempt(() => casesApi.assign(id, who)),
  });
}

export function handOver(file: CaseFile): void {
  if (!allowed()) return;
  ask({
    title: casesText.ask.handTitle(file.case.id),
    fields: [{ name: 'who', label: casesText.ask.handTo, kind: 'line', required: true, most: 80, known: knownNames() }, whyMaybe],
    confirm: casesText.ask.handConfirm,
    act: ({ who, reason }) => attempt(() => casesApi.handOver(file.case.id, who, reason)),
  });
}

export function setUrgency(file: CaseFile): void {
  const { id, urgency } = file.case;
  if (!allowed()) return;
  ask({
    title: casesText.ask.urgencyTitle(id),
    fields: [
      { name: 'to', label: casesText.ask.urgencyTitle(id), kind: 'choice', value: urgency, options: URGENCY_LEVELS.map((one) => [one, casesText.urgency[one]]) },
      whyField,
    ],
    confirm: casesText.ask.urgencyConfirm,
    act: ({ to, reason }) => attempt(() => casesApi.urgency(id, to as CaseUrgency, reason)),
  });
}

export function merge(file: CaseFile): void {
  const { id } = file.case;
  const others = (getDesk().cases ?? []).filter((one) => one.id !== id);
  if (!allowed()) return;
  ask({
    title: casesText.ask.mergeTitle(id),
    explain: casesText.ask.mergeExplain,
    fields: [
      {
        name: 'into',
        label: casesText.ask.mergeInto,
        kind: 'list',
        required: true,
        value: '',
        options: [['', '–'], ...others.map((one): [string, string] => [one.id, `${one.id} · ${casesText.kind[one.kind]} · ${placeWords(one.place)}`])],
      },
      whyMaybe,
    ],
    confirm: casesText.ask.mergeConfirm,
    act: async ({ into, reason }) => {
      const refusal = await attempt(() => casesApi.merge(id, into, reason));
      if (!refusal) go('cases', into);
      return refusal;
    },
  });
}

export function writeNote(file: CaseFile): void {
  if (!allowed()) return;
  const key = newKey();
  ask({
    title: casesText.ask.noteTitle(file.case.id),
    fields: [{ name: 'text', label: casesText.ask.note, kind: 'lines', required: true }],
    confirm: casesText.ask.noteConfirm,
    act: ({ text }) => attempt(() => casesApi.note(file.case.id, text, key)),
  });
}

export async function notify(file: CaseFile): Promise<void> {
  if (!allowed()) return;
  await readRecipients();
  const { recipients } = getDesk();
  if (recipients.length === 0) return toast('error', casesText.ask.notifyNobody);
  ask({
    title: casesText.ask.notifyTitle(file.case.id),
    fields: [{ name: 'whom', label: casesText.ask.notifyWhom, kind: 'list', value: recipients[0], options: recipients.map((one) => [one, one]) }, whyMaybe],
    confirm: casesText.ask.notifyConfirm,
    act: ({ whom, reason }) => attempt(() => casesApi.notify(file.case.id, whom, reason)),
  });
}

export const sendAgain = (notice: number): void => {
  if (allowed()) void act(() => casesApi.sendAgain(notice));
};

export function showEvidence(file: CaseFile): void {
  const { id } = file.case;
  if (!allowed()) return;
  ask({
    title: casesText.ask.evidenceTitle(id),
    explain: casesText.file.evidenceHint,
    fields: [{ ...whyField, label: casesText.ask.evidenceWhy, value: casesText.ask.evidenceDefault }],
    confirm: casesText.ask.evidenceConfirm,
    act: ({ reason }) => attempt(async () => setDesk({ evidence: await casesApi.evidence(id, reason) })),
  });
}

export async function linkWhatIf(file: CaseFile): Promise<void> {
  if (!allowed()) return;
  const known = await casesApi.whatIfs().catch(() => []);
  ask({
    title: casesText.ask.whatIfTitle(file.case.id),
    explain: known.length ? undefined : casesText.ask.whatIfNone,
    fields: [
      { name: 'id', label: casesText.ask.whatIfId, kind: 'line', required: true, value: known[0]?.id ?? '', known: known.map((one) => one.id), most: 80 },
      { name: 'title', label: casesText.ask.whatIfWords, kind: 'line' },
    ],
    confirm: casesText.ask.whatIfConfirm,
    act: ({ id, title }) => attempt(() => casesApi.linkWhatIf(file.case.id, id, title)),
  });
}

export const showOnMap = (file: CaseFile): void => withMap((map) => map.show([file.case.place.x_m, file.case.place.y_m]));

/** Of a call that may be repeated when its answer was lost. */
export const newKey = (): string => `page-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;

const knownNames = (): string[] => [
  ...new Set((getDesk().cases ?? []).flatMap((one) => [one.assigned_to, one.holder]).concat(getDesk().recipients).filter(Boolean)),
];
