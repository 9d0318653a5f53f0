import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { INCIDENT_KINDS } from '../src/api/case-types';
import type { Alert } from '../src/api/types';
import { placeName } from '../src/alerts/place';
import { en } from '../src/alerts/text/en';
import { ko } from '../src/alerts/text/ko';
import { detailWords, sentenceWords, titleWords } from '../src/alerts/words';
import { setState } from '../src/state/store';
import { inOrderOfNeed, isActive } from '../src/ui/alerts';

const SOURCE = join(__dirname, '..', '..', 'src', 'civicbrain');

describe('sentences of alarms', () => {
  const known = new Set(Object.keys(en.sentences));

  it('has each that the platform says', () => {
    const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true }).filter((one) => one.isFile() && one.name.endsWith('.py'));
    const said = files.flatMap((one) => [...readFileSync(join(one.parentPath, one.name), 'utf8').matchAll(/(?<![\w.])say\(\s*"([a-z-]+)"/g)].map((match) => match[1]));
    expect(said.length).toBeGreaterThan(30);
    const made = [...INCIDENT_KINDS.map((kind) => `incident-${kind}`), ...['blind', 'frozen', 'phantom', 'inflated'].map((fault) => `camera-${fault}`)];
    expect([...said, ...made].filter((key) => !known.has(key))).toEqual([]);
    expect([...known].filter((key) => !said.includes(key) && !made.includes(key))).toEqual([]);
  });

  it('reads values with their units', () => {
    const stands = { key: 'stands', text: 'x', values: { before_m: 35, for_s: 95 } };
    expect(sentenceWords(stands)).toBe('A vehicle has been standing 35 m before the stop line for 1 min 35 s, with the road ahead free.');
  });

  it('says of several without the values of one', () => {
    expect(titleWords({ title: '', detail: '', said: [{ key: 'brain-failed', text: 'x', values: {} }] })).toBe('A brain has failed');
  });

  it('leaves alone what it does not know, and what people wrote', () => {
    expect(titleWords({ title: 'Pump 3 is hot', detail: '' })).toBe('Pump 3 is hot');
    expect(sentenceWords({ key: 'of-a-later-version', text: 'In English', values: {} })).toBe('In English');
    const told = { title: 'a', detail: 'free text', said: [{ key: 'ledger-failed', text: 'a', values: {} }] };
    expect(detailWords(told)).toBe('free text');
  });

  it('is told in Korean without a word of English', () => {
    const all = Object.values(ko.sentences).map((say) => say(new Proxy({}, { get: () => '1' })));
    expect(all.filter((line) => /[a-z]{3}/i.test(line))).toEqual([]);
  });
});

const alert = (key: string, change: Partial<Alert> = {}): Alert => ({
  key, severity: 'warning', title: key, detail: '', time_s: 100, brain: 'incidents', junction: '', said: [], ended_s: null, ...change,
});

describe('the list of alarms', () => {
  afterEach(() => setState({ geometry: null }));

  it('shows each matter once, the active ones first', () => {
    const newestFirst = [alert('a', { ended_s: 160 }), alert('b'), alert('a'), alert('c', { severity: 'info' }), alert('c', { severity: 'critical' })];
    const shown = inOrderOfNeed(newestFirst);
    expect(shown.map((one) => [one.key, isActive(one)])).toEqual([['b', true], ['a', false], ['c', false]]);
  });

  it('names the junction as people call it', () => {
    setState({ geometry: { junctions: [{ id: 'cluster_12', name: 'Harderstraße', x_m: 0, y_m: 0 }] } as never });
    expect(placeName(alert('a', { junction: 'cluster_12' }))).toBe('Harderstraße');
    expect(placeName(alert('a'))).toBe('');
  });
});
