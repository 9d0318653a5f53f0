/** One study: how far it is, and what it found. */

import type { JSX } from 'preact';
import { formatFixed, formatLeft } from '../../desk/figures';
import { errorSentences, formatRealTime } from '../../format';
import { useMay } from '../../state/user';
import { reasonInWords } from './failures';
import { gridOf } from './reading';
import { ResultView } from './result-view';
import { cancel, filePath, goOn, isOpen, store } from './store';
import { words } from './text';
import type { StudyView } from './types';

const text = words.view;

export function StudyPage({ id }: { id: string }): JSX.Element {
  const view = store.use((s) => s.view);
  const result = store.use((s) => s.result);
  if (view?.brief.id !== id) return <p class="muted">…</p>;
  const { brief } = view;
  return (
    <section aria-labelledby="study-title" data-testid="study-page">
      <h2 id="study-title">{brief.title}</h2>
      <p class="muted small">
        <span class={`state-word ${brief.state}`}>{words.states[brief.state]}</span>
        {' · '}
        {brief.ordered_at ? text.ordered(formatRealTime(brief.ordered_at), brief.by) : words.byHand}
        {brief.case && ` · ${words.caseOf(brief.case)}`}
      </p>
      {brief.error && (
        <p class="card notice error-text" role="alert" data-testid="study-error">
          {errorSentences(brief.error)}
        </p>
      )}
      <Tools view={view} />
      {brief.state !== 'done' && <Progress view={view} />}
      {view.files.length > 0 && <Files id={id} files={view.files} />}
      {brief.state === 'done' && result?.id === id && result.scenarios.map((scenario) => <ResultView key={scenario.scenario} result={scenario} />)}
    </section>
  );
}

function Tools({ view }: { view: StudyView }): JSX.Element | null {
  const engineer = useMay('engineer');
  const { brief } = view;
  if (!engineer) return null;
  if (isOpen(brief.state))
    return (
      <div class="tools">
        <button type="button" class="button tight" data-testid="study-cancel" onClick={() => void cancel(brief.id)}>
          {text.cancel}
        </button>
        <span class="muted small">{text.cancelHint}</span>
      </div>
    );
  if (brief.state === 'done' || !brief.ordered_at) return null;
  return (
    <div class="tools">
      <button type="button" class="button tight" data-testid="study-go-on" onClick={() => void goOn(brief.id)}>
        {text.goOn}
      </button>
    </div>
  );
}

function Progress({ view }: { view: StudyView }): JSX.Element {
  const { brief } = view;
  const rows = gridOf(brief.controls, brief.seeds, view.runs);
  return (
    <div class="card" data-testid="study-progress">
      {brief.state === 'queued' && <p>{text.waiting(brief.place)}</p>}
      {brief.runs_total > 0 && (
        <p role="status">
          {words.runs(brief.runs_done, brief.runs_total)}
          {brief.left_s !== null && `, ${formatLeft(brief.left_s, words.left)}`}
          {brief.runs_failed > 0 && `, ${text.failed(brief.runs_failed)}`}
        </p>
      )}
      <progress max={Math.max(1, brief.runs_total)} value={brief.runs_done} aria-label={text.progress} />
      {view.runs.length > 0 && (
        <>
          <h3 class="over-title">{text.soFar}</h3>
          <div class="scroll">
            <table class="run-grid">
              <thead>
                <tr>
                  <th scope="col">{text.control}</th>
                  <th scope="col">{text.mean}</th>
                  {rows[0].cells.map((cell) => (
                    <th key={cell.seed} scope="col" title={text.seed(cell.seed)}>
                      {cell.seed}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => {
                  const known = row.cells.flatMap((cell) => (cell.run?.mean_delay_s != null ? [cell.run.mean_delay_s] : []));
                  return (
                    <tr key={`${row.scenario} ${row.control}`}>
                      <th scope="row">
                        {row.control} <small>{row.scenario}</small>
                      </th>
                      <td>{known.length ? formatFixed(known.reduce((sum, value) => sum + value, 0) / known.length, 1) : '–'}</td>
                      {row.cells.map(({ seed, run }) => (
                        <td key={seed} class={run?.reason ? 'failed' : ''} title={run?.reason ? reasonInWords(run.reason) : text.seed(seed)}>
                          {run ? (run.mean_delay_s === null ? '×' : formatFixed(run.mean_delay_s, 1)) : '·'}
                        </td>
                      ))}
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </>
      )}
    </div>
  );
}

function Files({ id, files }: { id: string; files: readonly string[] }): JSX.Element {
  return (
    <div class="tools" role="group" aria-label={text.take} data-testid="study-files">
      <span class="caption">{text.take}</span>
      {files.map((file) => (
        <a key={file} class="button" href={filePath(id, file)} target="_blank" rel="noopener" download={file.endsWith('.html') || file.endsWith('.pdf') ? undefined : `${id}-${file}`}>
          {text.files[file] ?? file}
        </a>
      ))}
    </div>
  );
}
