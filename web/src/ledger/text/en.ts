/** Entries of the ledger as sentences, in English. A sentence is named by its kind, or by kind and step. */

/** What a sentence may name; "" where the entry does not say. */
export interface Said {
  who: string;
  /** " at X", or "" where the place is known from where the sentence stands. */
  at: string;
  /** ": “reason”", or "". */
  why: string;
  what: string;
  name: string;
  from: string;
  to: string;
  more: string;
}

type Sentence = (d: Said) => string;

export const en = {
  at: (junction: string) => ` at ${junction}`,
  why: (reason: string) => `: “${reason}”`,
  action: {
    stage: (stage: string) => `${stage} requested`,
    hold: (stage: string) => `${stage} held`,
    local: (_stage: string) => 'Left to its local plan',
  } as Record<string, (stage: string) => string>,
  actor: {
    runtime: 'Civic Brain',
    guard: 'The guard',
    tracking: 'Tracking',
    cases: 'The automatic procedure',
  } as Record<string, string>,
  /** Who may have a junction: the operator, and the brains by name, as within a sentence. */
  decider: { operator: 'operator', signals: 'the signals brain', priority: 'the priority brain', incidents: 'the incidents brain' } as Record<string, string>,
  sentence: {
    'override:begin': (d) => `${d.who} took control${d.at}. ${d.what}${d.why}`,
    'override:give back': (d) => `${d.who} gave control back${d.at}${d.why}`,
    'override:shown': (d) => `The stage of ${d.name}’s override is shown${d.at}: its time runs from now`,
    'override:expired': (d) => `The override of ${d.name} ended on time${d.at}`,
    'override:refused': (d) => `The override of ${d.who} was refused${d.at}${d.why}`,
    'override:time went back': (d) => `The override of ${d.name} ended${d.at}: the city’s clock went back`,
    'override:resumed': (d) => `The override of ${d.name} goes on${d.at} after a restart`,
    'override:not resumed': (d) => `The override of ${d.name} ended${d.at} with a restart${d.why}`,
    'brain-switch:on': (d) => `${d.who} switched ${d.name} on${d.why}`,
    'brain-switch:off': (d) => `${d.who} switched ${d.name} off${d.why}`,
    'brain-failed': (d) => `${d.name} failed${d.why}`,
    'brain-recovered': (d) => `${d.name} works again`,
    control: (d) => `${d.who} changed the control from ${d.from} to ${d.to}${d.why}`,
    'twin:pause': (d) => `${d.who} paused the twin${d.why}`,
    'twin:resume': (d) => `${d.who} let the twin go on${d.why}`,
    'twin:restart': (d) => `${d.who} started the twin’s window anew${d.why}`,
    'twin:speed': (d) => `${d.who} set the twin’s speed to ${d.more}${d.why}`,
    start: (d) => `The platform started: ${d.name} under the control ${d.to}`,
    'ledger-recovered': (d) => `The ledger can be written again; ${d.more} entries were lost`,
    alert: (d) => `Alarm: ${d.name}${d.why}`,
    'decision:yes': (d) => `${d.who} accepted a proposed measure for ${d.name}${d.why}`,
    'decision:no': (d) => `${d.who} declined a proposed measure for ${d.name}${d.why}`,
    'what-if': (d) => `${d.who} asked a what-if: ${d.name}`,
    'mission:order': (d) => `${d.who} ordered a mission: ${d.name}${d.why}`,
    'mission:cancel': (d) => `${d.who} cancelled mission ${d.name}${d.why}`,
    'mission:ended': (d) => `Mission ${d.name} ended${d.why}`,
    'mission:lost': (d) => `Mission ${d.name}: no position any more`,
    'case:opened': (d) => `${d.name} was opened: ${d.what}`,
    'alarms-acknowledged': (d) => `${d.who} acknowledged alarms: ${d.name}${d.why}`,
    'alarms-shelved': (d) => `${d.who} shelved alarms: ${d.name}${d.why}`,
    'alarms-unshelved': (d) => `${d.who} took alarms off the shelf: ${d.name}${d.why}`,
    'alarms-cleared': (d) => `${d.who} cleared alarms by hand: ${d.name}${d.why}`,
  } satisfies Record<string, Sentence> as Record<string, Sentence>,
  end: { arrived: 'arrived', cancelled: 'cancelled', silent: 'nothing was heard of the vehicle' } as Record<string, string>,
  because: (reason: string) => `: ${reason}`,
  quoted: (title: string) => `“${title}”`,
  moreAlarms: (count: string) => `${count} more`,
  fastest: 'as fast as it goes',
  times: (factor: string) => `${factor}×`,
  unnamed: 'no title',
};

export type LedgerText = typeof en;
