import { describe, expect, it } from 'vitest';
import { controlsOf, gridOf, lossesOf, rowsOf } from '../src/rooms/proof/reading';
import type { Figure, ScenarioResult } from '../src/rooms/proof/types';

const figure = (control: string, metric: string, verdict: Figure['verdict']): Figure => ({
  control,
  metric,
  unit: 's',
  better: 'less',
  digits: 1,
  mean: 1,
  ci95: null,
  difference: null,
  difference_ci95: null,
  pairs: 2,
  verdict,
});
const result = {
  baseline: 'fixed',
  figures: [figure('brain', 'delay', 'better'), figure('fixed', 'delay', ''), figure('brain', 'stops', 'worse')],
} as unknown as ScenarioResult;

describe('a result', () => {
  it('begins with the baseline', () => expect(controlsOf(result)).toEqual(['fixed', 'brain']));

  it('has a cell for each control, also where a figure is missing', () => {
    expect(rowsOf(result).map((row) => [row.metric, ...row.cells.map((cell) => cell?.verdict)])).toEqual([
      ['delay', '', 'better'],
      ['stops', undefined, 'worse'],
    ]);
  });

  it('tells what was lost', () => expect(lossesOf(result).map((one) => one.metric)).toEqual(['stops']));
});

describe('runs so far', () => {
  it('has a cell for each seed', () => {
    const runs = [{ scenario: 'c', control: 'brain', seed: 2, mean_delay_s: 20, reason: '' }];
    const grid = gridOf(['fixed', 'brain'], 2, runs);
    expect(grid.map((row) => row.cells.map((cell) => cell.run?.mean_delay_s ?? null))).toEqual([
      [null, null],
      [null, 20],
    ]);
    expect(gridOf(['fixed'], 3, [])[0].cells).toHaveLength(3);
  });
});

describe('a run that failed', () => {
  it('is told without what programs print', async () => {
    const { failureInWords } = await import('../src/rooms/proof/failures');
    const printed = 'brain, 3: its process ended with exit code 1 and no result; its last words: Traceback (most recent call last): | File "x.py", line 3';
    expect(failureInWords(printed)).toBe('brain, 3: Its process ended with exit code 1 and no result.');
    expect(failureInWords('fixed, 1: its process was ended by SIGKILL, as the kernel does when memory runs out; its last words: a | b')).toMatch(/^fixed, 1: Its process was killed/);
    expect(failureInWords('brain, 2: KeyError: 3 (traceback in /tmp/x.log)')).toBe('brain, 2: KeyError: 3.');
  });
});
