/** The form: what is changed, from when, how far ahead. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatClock } from '../../format';
import { go } from '../../state/route';
import { useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { isNothing, partsOf, startOf, without } from './change';
import { ChangeFields } from './change-fields';
import { ask, refreshMoments, refreshView, store } from './store';
import { readRefusal } from './refusal';
import { words } from './text';
import type { Change } from './types';

const MINUTES = [5, 10, 15, 30, 60];
const MODELS = ['auto', 'micro', 'meso'];

/** case: to link it to. edge and lanes, or lane: what is closed. junction: whose plan is offered to be changed.
 * from: a what-if that is asked again. */
export function AskForm({ query }: { query: Readonly<Record<string, string>> }): JSX.Element {
  const text = words.form;
  const operator = useMay('operator');
  const before = store.use((s) => s.views[query['from'] ?? '']);
  const moments = store.use((s) => s.moments);
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const nowS = useStore((s) => s.timeS);
  const [change, setChange] = useState<Change>(() => startOf(query));
  const [how, setHow] = useState({ minutes: 15, seeds: 3, model: 'auto', moment: '', title: '' });
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState('');
  useEffect(() => void refreshMoments(), []);
  useEffect(() => {
    if (query['from'] && !before) void refreshView(query['from']);
    if (!before) return;
    const { change: old, minutes, seeds, model, moment } = before.question;
    setChange(old);
    setHow({ minutes, seeds, model, moment, title: '' });
  }, [query['from'], before?.id]);
  const set = (part: Partial<typeof how>): void => setHow({ ...how, ...part });
  useEffect(() => setRefused(''), [change, how]);
  const parts = partsOf(change, words.change);
  const send = async (): Promise<void> => {
    if (busy || isNothing(change)) return;
    setBusy(true);
    const answer = await ask({ change, ...how, title: how.title.trim() || parts.join(', ').slice(0, 120), case: query['case'] ?? before?.case ?? '' });
    setBusy(false);
    if ('id' in answer) go('what-if', answer.id);
    else setRefused(readRefusal(answer.refused, text.refused));
  };
  return (
    <section aria-labelledby="ask-title">
      <h2 id="ask-title">{text.title}</h2>
      <p class="muted">{words.intro}</p>
      {!operator && <p class="card notice">{text.viewer}</p>}
      {query['case'] && <p class="small">{text.forCase(query['case'])}</p>}
      <form
        class="desk-form"
        noValidate
        data-testid="what-if-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <fieldset>
          <legend>{text.changes}</legend>
          {parts.length === 0 && <p class="muted">{text.nothing}</p>}
          <ul class="chips" data-testid="changes">
            {parts.map((part, k) => (
              <li key={part}>
                {part}
                <button type="button" class="link" aria-label={text.remove(part)} onClick={() => setChange(without(change, k))}>
                  ×
                </button>
              </li>
            ))}
          </ul>
          <ChangeFields change={change} onChange={setChange} junction={query['junction'] ?? ''} />
        </fieldset>
        <fieldset>
          <legend>{text.how}</legend>
          <div class="line">
            <label class="stacked">
              <span class="caption">{text.start}</span>
              <select value={how.moment} data-testid="what-if-moment" onChange={(event) => set({ moment: event.currentTarget.value })}>
                <option value="">{text.now}</option>
                {moments.map((one) => (
                  <option key={one.name} value={one.name}>
                    {text.ago(formatClock(epoch, one.time_s), Number.isFinite(nowS) ? String(Math.max(0, Math.round((nowS - one.time_s) / 60))) : '–')}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked">
              <span class="caption">{text.minutes}</span>
              <select value={String(how.minutes)} data-testid="what-if-minutes" onChange={(event) => set({ minutes: Number(event.currentTarget.value) })}>
                {MINUTES.map((value) => (
                  <option key={value} value={String(value)}>
                    {value}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked">
              <span class="caption">{text.pairs}</span>
              <input type="number" min={1} max={20} value={how.seeds} onInput={(event) => set({ seeds: Math.min(20, Math.max(1, Math.round(Number(event.currentTarget.value)) || 1)) })} />
            </label>
            <label class="stacked">
              <span class="caption">{text.model}</span>
              <select value={how.model} onChange={(event) => set({ model: event.currentTarget.value })}>
                {MODELS.map((value) => (
                  <option key={value} value={value}>
                    {text.models[value]}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked grow">
              <span class="caption">{text.name}</span>
              <input type="text" maxLength={120} placeholder={parts.join(', ')} value={how.title} onInput={(event) => set({ title: event.currentTarget.value })} />
            </label>
          </div>
          {moments.length === 0 && <p class="muted small">{text.noMoments}</p>}
        </fieldset>
        {refused && (
          <p class="card notice error-text" role="alert" data-testid="what-if-refused">
            <b>{text.refused.title}</b> {refused}
          </p>
        )}
        <div class="submit-line">
          <button type="submit" class="button primary" disabled={busy || !operator || isNothing(change)} aria-describedby="ask-missing" data-testid="what-if-submit">
            {text.submit}
          </button>
          <span id="ask-missing" class="muted small" data-testid="what-if-missing">
            {operator && isNothing(change) && text.missing.change}
          </span>
        </div>
      </form>
    </section>
  );
}
