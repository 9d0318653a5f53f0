/** The procedure's steps: those of now to tick, with their deadlines; those of before to read. */

import type { JSX } from 'preact';
import type { CaseFile, CaseStep } from '../../api/case-types';
import { go } from '../../state/route';
import { findRoom } from '../registry';
import { linkWhatIf, skip, tick, tickSaying } from './actions';
import { Tool } from './alarm-pane';
import { choice, useChoice } from './choice';
import { Due } from './marks';
import { keepChosen, stepsNow } from './model';
import { casesText } from './text';
import { actorWords, clockOf } from './words';

const words = casesText.file;
export const STEP_LIST = 'step-list';

export function CaseSteps({ file }: { file: CaseFile }): JSX.Element {
  const { now, before } = stepsNow(file);
  const [chosen, place] = useChoice<string>('step');
  const key = keepChosen(now.map((step) => step.id), chosen, place);
  const row = now.findIndex((step) => step.id === key);
  const step = now[row];
  const choose = (at: number): void => {
    const to = Math.min(now.length - 1, Math.max(0, at));
    if (now[to]) choice.set('step', now[to].id, to);
  };
  const ticked = (one: CaseStep, at: number): void => {
    tick(file, one);
    const next = now.findIndex((other, k) => k !== at && other.state === 'open' && k > at);
    if (next >= 0) choose(next);
  };
  const keys: Record<string, () => void> = {
    j: () => choose(row + 1),
    ArrowDown: () => choose(row + 1),
    k: () => choose(row - 1),
    ArrowUp: () => choose(row - 1),
    ' ': () => step && ticked(step, row),
    x: () => step && ticked(step, row),
    Enter: () => step && ticked(step, row),
    o: () => step && skip(file, step),
  };
  return (
    <section aria-labelledby="steps-heading">
      <h3 id="steps-heading">
        {words.steps} <span class="muted small">{file.procedure.replace(/ \([0-9a-f]+\)$/, '')}</span>
      </h3>
      {now.length === 0 ? (
        <p class="muted small">{words.noSteps}</p>
      ) : (
        <ul
          id={STEP_LIST}
          class="steps"
          role="listbox"
          tabIndex={0}
          aria-label={words.steps}
          aria-activedescendant={step ? `step-${step.id}` : undefined}
          data-testid="steps"
          onKeyDown={(event) => {
            const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
            if (!act) return;
            event.preventDefault();
            event.stopPropagation();
            act();
          }}
        >
          {now.map((one, k) => (
            <StepRow key={one.id} step={one} chosen={k === row} onChoose={() => choose(k)} onTick={() => ticked(one, k)} />
          ))}
        </ul>
      )}
      {step?.state === 'open' && (
        <div class="tools">
          <Tool label={words.done} name="step-done" letter="X" onClick={() => ticked(step, row)} />
          <Tool label={words.doneSaying} name="step-done-saying" onClick={() => tickSaying(file, step)} />
          <Tool label={words.skip} name="step-skip" letter="O" onClick={() => skip(file, step)} />
        </div>
      )}
      {before.length > 0 && (
        <details>
          <summary>{words.stepsBefore(before.length)}</summary>
          <ul class="steps before">
            {before.map((one) => (
              <li key={one.id} class={one.state}>
                <Box state={one.state} />
                <span class="what">{one.title}</span>
                <span class="second muted">
                  {words.stepState[one.state]}
                  {one.by && one.at && `, ${words.stepBy(actorWords(one.by), clockOf(one.at))}`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {file.proposals.length > 0 && <Proposals file={file} />}
    </section>
  );
}

interface StepRowProps {
  step: CaseStep;
  chosen: boolean;
  onChoose: () => void;
  onTick: () => void;
}

function StepRow({ step, chosen, onChoose, onTick }: StepRowProps): JSX.Element {
  return (
    <li
      id={`step-${step.id}`}
      role="option"
      aria-selected={chosen}
      aria-label={`${step.title}, ${words.stepState[step.state]}${step.required ? `, ${words.required}` : ''}`}
      class={`${step.state} ${chosen ? 'chosen' : ''}`}
      data-testid={`step-${step.id}`}
      data-state={step.state}
      onClick={onChoose}
    >
      <span
        class="box-place"
        onClick={(event) => {
          event.stopPropagation();
          onChoose();
          onTick();
        }}
      >
        <Box state={step.state} />
      </span>
      <span class="what">{step.title}</span>
      {step.state === 'open' && <Due due={step.due} />}
      <span class="second muted">
        {step.state === 'open' ? (casesText.role[step.role] ?? step.role) : words.stepState[step.state]}
        {step.required && step.state === 'open' && <b> · {words.required}</b>}
        {step.state !== 'open' && step.at && `, ${words.stepBy(actorWords(step.by), clockOf(step.at))}`}
      </span>
    </li>
  );
}

const Box = ({ state }: { state: CaseStep['state'] }): JSX.Element => (
  <svg class="box" viewBox="0 0 16 16" aria-hidden="true">
    <rect x="1.5" y="1.5" width="13" height="13" rx="3" />
    {state === 'done' && <path d="M4 8.5 7 11.5 12.5 5" />}
    {state === 'skipped' && <path d="M4.5 8h7" />}
  </svg>
);

/** What the procedure proposes is a step of its own, which a what-if of this case decides. */
function Proposals({ file }: { file: CaseFile }): JSX.Element {
  return (
    <div class="proposals">
      <h3>{words.proposals}</h3>
      {file.proposals.map((what) => (
        <div key={what} class="proposal">
          <span>{words.proposal[what] ?? what}</span>
          <div class="tools">
            {what === 'what_if' && <WhatIfTools file={file} />}
            <Tool
              label={words.notNeeded}
              name="not-needed"
              onClick={() => skip(file, { id: `proposal-${what}`, title: words.proposal[what] ?? what, state: 'open' }, casesText.ask.notNeededTitle)}
            />
          </div>
        </div>
      ))}
    </div>
  );
}

const WHAT_IF_ROOMS = ['what-if', 'what-ifs', 'whatif', 'what_if'];

export function WhatIfTools({ file }: { file: CaseFile }): JSX.Element {
  const { id, place } = file.case;
  const room = WHAT_IF_ROOMS.map(findRoom).find(Boolean);
  return (
    <>
      {room && (
        <Tool
          label={words.tryWhatIf}
          name="what-if"
          onClick={() => go(room.slug, '', { case: id, ...(place.edge && { edge: place.edge }), ...(place.lanes.length && { lanes: place.lanes.join(',') }) })}
        />
      )}
      <Tool label={words.linkWhatIf} name="link-what-if" onClick={() => void linkWhatIf(file)} />
    </>
  );
}
