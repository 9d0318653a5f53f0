import { describe, expect, it } from 'vitest';
import { ledgerSentence } from '../src/ledger/sentence';
import { en } from '../src/ledger/text/en';
import { ko } from '../src/ledger/text/ko';
import { zh } from '../src/ledger/text/zh';

const OVERRIDE = { junction: '26110729', what: 'begin', action: 'stage', stage: 's3', set_by: 'operator (demo)', expires_s: 27688, reason: 'Queue from the west' };
const ENTRIES: [string, string, Record<string, unknown>, string][] = [
  ['override', 'operator (demo)', OVERRIDE, 'operator (demo) took control at 26110729. Stage s3 requested: “Queue from the west”'],
  ['override', 'operator (demo)', { ...OVERRIDE, what: 'give back', reason: 'cleared' }, 'operator (demo) gave control back at 26110729: “cleared”'],
  ['override', 'runtime', { ...OVERRIDE, what: 'expired', reason: '' }, 'The override of operator (demo) ended on time at 26110729'],
  ['override', 'operator (demo)', { junction: '26110729', what: 'refused', rule: 'min-green', why: 'too short' }, 'The override of operator (demo) was refused at 26110729: “too short”'],
  ['twin', 'operator (demo)', { action: 'resume', value: 0, reason: '' }, 'operator (demo) let the twin go on'],
  ['twin', 'operator (demo)', { action: 'speed', value: 5, reason: '' }, 'operator (demo) set the twin’s speed to 5×'],
  ['twin', 'operator (demo)', { action: 'speed', value: 0, reason: '' }, 'operator (demo) set the twin’s speed to as fast as it goes'],
  ['start', 'runtime', { city: 'cologne8', control: 'brain', seed: 0, supervisor: '16147-8189093' }, 'The platform started: cologne8 under the control brain'],
  ['brain-switch', 'operator (demo)', { brain: 'signals', enabled: false, reason: 'works' }, 'operator (demo) switched the signals brain off: “works”'],
  ['control', 'operator (demo)', { from: 'brain', to: 'fixed', reason: '' }, 'operator (demo) changed the control from brain to fixed'],
  ['what-if', 'operator (demo)', { what_if: 'w-1', title: 'Close the bridge', minutes: 15, pairs: 3, case: '' }, 'operator (demo) asked a what-if: Close the bridge'],
  ['brain-failed', 'runtime', { brain: 'signals', error: 'killed' }, 'The signals brain failed: “killed”'],
];

describe('an entry of the ledger', () => {
  it.each(ENTRIES)('%s by %s is a sentence', (kind, actor, body, sentence) => {
    expect(ledgerSentence({ kind, actor, body }, {}, en)).toBe(sentence);
  });
  it('leaves the place out where it is known, and calls it as people do', () => {
    const told = { kind: 'override', actor: 'anna', body: OVERRIDE };
    expect(ledgerSentence(told, { nameOf: () => '' }, en)).toBe('anna took control. Stage s3 requested: “Queue from the west”');
    expect(ledgerSentence(told, { nameOf: () => 'Aachener Straße', stageOf: () => 'Stage s3 (from west)' }, en)).toContain('at Aachener Straße. Stage s3 (from west) requested');
  });
  it('is told in each language', () => {
    for (const [kind, actor, body] of ENTRIES) {
      expect(ledgerSentence({ kind, actor, body }, {}, ko)).toMatch(/[가-힣]/);
      expect(ledgerSentence({ kind, actor, body }, {}, zh)).toMatch(/[一-鿿]/);
    }
  });
  it('is names and values where its kind is not known', () => {
    expect(ledgerSentence({ kind: 'new-thing', actor: 'runtime', body: { length_m: 12, note: 'x', empty: '' } }, {}, en)).toBe('new thing (runtime): length (m) 12, note x');
  });
});
