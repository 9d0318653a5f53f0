/** A question before something is done: a few fields, and what was answered. One at a time. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { makeStore } from '../../state/make-store';
import { text } from '../../text';
import { RoomLeft } from '../../ui/room-left';
import { useModal } from '../../ui/use-modal';
import { casesText } from './text';

export interface Field {
  name: string;
  label: string;
  /** line: one line of text. lines: several. choice: radio buttons. list: a menu. */
  kind: 'line' | 'lines' | 'choice' | 'list';
  options?: readonly (readonly [value: string, label: string])[];
  /** Words that help to fill in a line. */
  known?: readonly string[];
  value?: string;
  required?: boolean;
  most?: number;
}

export interface Question {
  title: string;
  explain?: string;
  fields: readonly Field[];
  confirm: string;
  /** Told the answers; says why it was refused, which leaves the question open, or "". */
  act: (answers: Record<string, string>) => Promise<string>;
}

const store = makeStore<{ question: Question | null }>({ question: null });

export const ask = (question: Question): void => store.set({ question });

/** Also before its dialog is drawn: what somebody types by then is meant for it. */
export const isAsking = (): boolean => store.get().question !== null;

export function AskDialog(): JSX.Element | null {
  const question = store.use((s) => s.question);
  return question && <Asked key={question.title} question={question} />;
}

function Asked({ question }: { question: Question }): JSX.Element {
  const dialog = useModal((element) => {
    // what must be filled in, or else the first field: who knows the rest by heart only types and sends
    const empty = question.fields.find((field) => field.required && !field.value);
    const find = (where: string): HTMLElement | null => element.querySelector<HTMLElement>(where);
    const first = empty ? find(`#ask-${empty.name}`) : (find('[data-field] input:checked') ?? find('[data-field] :is(input, textarea, select)'));
    first?.focus();
  });
  const [answers, setAnswers] = useState<Record<string, string>>(() =>
    Object.fromEntries(question.fields.map((field) => [field.name, field.value ?? ''])),
  );
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  const close = (): void => store.set({ question: null });
  const lacks = (field: Field): boolean => field.required === true && !answers[field.name]?.trim();
  const send = async (): Promise<void> => {
    setTried(true);
    const missing = question.fields.find(lacks);
    if (missing) return document.getElementById(`ask-${missing.name}`)?.focus();
    if (busy) return;
    setBusy(true);
    const trimmed = Object.fromEntries(Object.entries(answers).map(([name, value]) => [name, value.trim()]));
    const why = await question.act(trimmed);
    setBusy(false);
    setRefusal(why);
    if (!why) close();
  };
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="ask-title" data-testid="ask" onCancel={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h2 id="ask-title">{question.title}</h2>
        {question.explain && <p>{question.explain}</p>}
        {question.fields.map((field) => (
          <AskField
            key={field.name}
            field={field}
            value={answers[field.name] ?? ''}
            wrong={tried && lacks(field)}
            onChange={(value) => setAnswers((old) => ({ ...old, [field.name]: value }))}
            onSend={() => void send()}
          />
        ))}
        {refusal && (
          <p class="refusal" role="alert" data-testid="ask-refusal">
            {refusal}
          </p>
        )}
        <div class="actions">
          <button type="button" class="button" data-testid="ask-cancel" onClick={close}>
            {text.dialog.cancel}
          </button>
          <button type="submit" class="button primary" disabled={busy} data-testid="ask-confirm">
            {question.confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface AskFieldProps {
  field: Field;
  value: string;
  wrong: boolean;
  onChange: (value: string) => void;
  onSend: () => void;
}

function AskField({ field, value, wrong, onChange, onSend }: AskFieldProps): JSX.Element {
  const id = `ask-${field.name}`;
  const common = { id, value, 'aria-invalid': wrong, 'aria-describedby': wrong ? `${id}-wrong` : undefined, 'data-testid': id };
  if (field.kind === 'choice') {
    return (
      <fieldset class="choices" data-field>
        <legend class="caption">{field.label}</legend>
        {(field.options ?? []).map(([option, label]) => (
          <label key={option}>
            <input type="radio" name={id} value={option} checked={value === option} data-testid={`${id}-${option}`} onChange={() => onChange(option)} />
            {label}
          </label>
        ))}
      </fieldset>
    );
  }
  return (
    <div class="stacked" data-field>
      <label class="caption" for={id}>
        {field.label}
      </label>
      {field.kind === 'lines' ? (
        <textarea
          {...common}
          rows={4}
          maxLength={field.most ?? 2000}
          onInput={(event) => onChange(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSend();
          }}
        />
      ) : field.kind === 'list' ? (
        <select {...common} class="select" onChange={(event) => onChange(event.currentTarget.value)}>
          {(field.options ?? []).map(([option, label]) => (
            <option key={option} value={option}>
              {label}
            </option>
          ))}
        </select>
      ) : (
        <input {...common} type="text" autocomplete="off" maxLength={field.most ?? 200} list={`${id}-known`} onInput={(event) => onChange(event.currentTarget.value)} />
      )}
      {field.kind !== 'list' && <RoomLeft value={value} most={field.most ?? (field.kind === 'lines' ? 2000 : 200)} />}
      {field.known && (
        <datalist id={`${id}-known`}>
          {field.known.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
      {wrong && (
        <span class="small error-text" id={`${id}-wrong`}>
          {casesText.needed}
        </span>
      )}
    </div>
  );
}
