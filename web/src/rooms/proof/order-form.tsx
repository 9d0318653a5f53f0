/** The form of a study: where, which controls, how many seeds, which window. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { go } from '../../state/route';
import { loadOptions, order, store } from './store';
import { words } from './text';

const FIRST = ['fixed', 'brain'];

export function OrderForm({ caseId }: { caseId: string }): JSX.Element {
  const text = words.form;
  const options = store.use((s) => s.options);
  const controls = options?.controls ?? [];
  const [scenarios, setScenarios] = useState<readonly string[]>(['city']);
  const [chosen, setChosen] = useState<readonly string[]>(FIRST);
  const [how, setHow] = useState({ seeds: 10, sensing: 'camera', mesoscopic: false, title: '', baseline: '', whole: true, begin: 0, end: 3600 });
  const [busy, setBusy] = useState(false);
  useEffect(() => void loadOptions(), []);
  const here = options?.scenarios[0];
  useEffect(() => {
    if (here?.begin_s != null && here.end_s != null) setHow((old) => ({ ...old, begin: here.begin_s ?? 0, end: Math.min(here.end_s ?? 3600, (here.begin_s ?? 0) + 900) }));
  }, [here]);
  const set = (part: Partial<typeof how>): void => setHow({ ...how, ...part });
  const known = chosen.filter((name) => controls.some((control) => control.name === name));
  const runs = scenarios.length * known.length * how.seeds;
  const fits = options !== null && scenarios.length > 0 && known.length > 1 && runs <= options.most_runs && (how.whole || how.end > how.begin);
  const toggle = (list: readonly string[], name: string, on: boolean): string[] => (on ? [...list, name] : list.filter((other) => other !== name));
  const send = async (): Promise<void> => {
    if (!fits || busy) return;
    setBusy(true);
    const baseline = known.includes(how.baseline) ? how.baseline : '';
    const id = await order({
      scenarios: [...scenarios],
      controls: known,
      seeds: how.seeds,
      title: how.title,
      case: caseId,
      baseline,
      begin_s: how.whole ? null : how.begin,
      end_s: how.whole ? null : how.end,
      sensing: how.sensing,
      mesoscopic: how.mesoscopic,
    });
    setBusy(false);
    if (id) go('proof', id);
  };
  const number = (value: string, low: number, high: number): number => Math.min(high, Math.max(low, Math.round(Number(value)) || low));
  return (
    <section aria-labelledby="order-title">
      <h2 id="order-title">{text.title}</h2>
      <form
        class="desk-form"
        noValidate
        data-testid="study-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <fieldset>
          <legend>{text.scenarios}</legend>
          <div class="options">
            {options?.scenarios.map((one) => (
              <label key={one.name} class="check">
                <input
                  type="checkbox"
                  checked={scenarios.includes(one.name)}
                  disabled={!scenarios.includes(one.name) && scenarios.length >= options.most_scenarios}
                  data-testid={`scenario-${one.name}`}
                  onChange={(event) => setScenarios(toggle(scenarios, one.name, event.currentTarget.checked))}
                />
                {one.name === 'city' ? text.here(one.label) : one.label}
              </label>
            ))}
          </div>
        </fieldset>
        <fieldset>
          <legend>{text.controls}</legend>
          <div class="options controls">
            {controls.map((one) => (
              <label key={one.name} class="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(one.name)}
                  disabled={!chosen.includes(one.name) && known.length >= (options?.most_controls ?? 6)}
                  data-testid={`control-${one.name}`}
                  onChange={(event) => setChosen(toggle(chosen, one.name, event.currentTarget.checked))}
                />
                <span>
                  {one.name} <small>{one.summary}</small>
                </span>
              </label>
            ))}
          </div>
          {known.length < 2 && <p class="small error-text">{text.twoControls}</p>}
        </fieldset>
        <fieldset>
          <div class="line">
            <label class="stacked">
              <span class="caption">{text.baseline}</span>
              <select value={how.baseline || (known.includes('fixed') ? 'fixed' : (known[0] ?? ''))} onChange={(event) => set({ baseline: event.currentTarget.value })}>
                {known.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked">
              <span class="caption">{text.seeds}</span>
              <input type="number" min={1} max={options?.most_seeds ?? 30} value={how.seeds} data-testid="seeds" onInput={(event) => set({ seeds: number(event.currentTarget.value, 1, options?.most_seeds ?? 30) })} />
            </label>
            <label class="stacked">
              <span class="caption">{text.sensing}</span>
              <select value={how.sensing} onChange={(event) => set({ sensing: event.currentTarget.value })}>
                {Object.entries(text.sensings).map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
            <label class="stacked grow">
              <span class="caption">{text.name}</span>
              <input type="text" maxLength={120} value={how.title} data-testid="study-title" onInput={(event) => set({ title: event.currentTarget.value })} />
            </label>
          </div>
          {options && how.seeds < options.claim_seeds && <p class="muted small">{text.claim(options.claim_seeds)}</p>}
        </fieldset>
        <fieldset>
          <legend>{text.window}</legend>
          <div class="line">
            <label class="check">
              <input type="checkbox" checked={how.whole} data-testid="whole-window" onChange={(event) => set({ whole: event.currentTarget.checked })} />
              {text.whole}
            </label>
            {!how.whole && (
              <>
                <label class="stacked">
                  <span class="caption">{text.begin}</span>
                  <input type="number" min={0} value={how.begin} data-testid="begin" onInput={(event) => set({ begin: number(event.currentTarget.value, 0, 864000) })} />
                </label>
                <label class="stacked">
                  <span class="caption">{text.end}</span>
                  <input type="number" min={0} value={how.end} data-testid="end" onInput={(event) => set({ end: number(event.currentTarget.value, 0, 864000) })} />
                </label>
              </>
            )}
            <label class="check">
              <input type="checkbox" checked={how.mesoscopic} onChange={(event) => set({ mesoscopic: event.currentTarget.checked })} />
              {text.mesoscopic}
            </label>
          </div>
        </fieldset>
        <p class={options && runs > options.most_runs ? 'error-text' : 'muted'}>{text.size(runs, options?.most_runs ?? 0)}</p>
        <div>
          <button type="submit" class="button primary" disabled={!fits || busy} data-testid="study-submit">
            {text.submit}
          </button>
        </div>
      </form>
    </section>
  );
}
