/** What a study's figures say, control by control: never more than the intervals allow. */

import type { Figure, ScenarioResult, StudyRun } from './types';

/** Controls in the study's order, the baseline first. */
export function controlsOf(result: ScenarioResult): string[] {
  const found = [...new Set(result.figures.map((figure) => figure.control))];
  return [...found.filter((name) => name === result.baseline), ...found.filter((name) => name !== result.baseline)];
}

/** Figures by metric, in the study's order; each with one entry a control, in that order. */
export function rowsOf(result: ScenarioResult): { metric: string; unit: string; digits: number; cells: (Figure | null)[] }[] {
  const controls = controlsOf(result);
  const metrics = [...new Set(result.figures.map((figure) => figure.metric))];
  return metrics.map((metric) => {
    const mine = result.figures.filter((figure) => figure.metric === metric);
    return { metric, unit: mine[0].unit, digits: mine[0].digits, cells: controls.map((name) => mine.find((figure) => figure.control === name) ?? null) };
  });
}

/** What was lost, clear of chance: told as plainly as what was won. */
export const lossesOf = (result: ScenarioResult): Figure[] => result.figures.filter((figure) => figure.verdict === 'worse');

/** Something that must not happen has happened. */
export const EVENTS = ['unsafe_states', 'collisions', 'deadlock', 'teleports', 'emergency_stops', 'refused_requests'] as const;
export const ALARMING: readonly string[] = ['unsafe_states', 'collisions', 'deadlock', 'teleports'];

export interface RunCell {
  seed: number;
  run: StudyRun | null;
}
/** A row a scenario and control, a cell a seed: what is over so far. */
export function gridOf(controls: readonly string[], seeds: number, runs: readonly StudyRun[]): { scenario: string; control: string; cells: RunCell[] }[] {
  const scenarios = [...new Set(runs.map((run) => run.scenario))];
  return (scenarios.length ? scenarios : ['']).flatMap((scenario) =>
    controls.map((control) => ({
      scenario,
      control,
      cells: Array.from({ length: seeds }, (_, k) => ({
        seed: k + 1,
        run: runs.find((run) => run.scenario === scenario && run.control === control && run.seed === k + 1) ?? null,
      })),
    })),
  );
}
