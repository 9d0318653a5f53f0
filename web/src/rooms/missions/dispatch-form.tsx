/** The dispatcher's question: which ambulance reaches an address first, or which hospital is reached first. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DispatchAnswer, DispatchChoice, DispatchQuestion } from '../../api/mission-types';
import { formatClock, formatDistance, formatDuration, formatWhole } from '../../format';
import { getState, setState, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { missionText } from './text';
import { askDispatcher, showWay } from './actions';
import type { Draft } from './order-form';
import { PlaceField } from './place-field';
import { nameOf, placeLabel } from '../../map/street-names';

const KIND_OF = { vehicle: 'ambulance-station', hospital: 'hospital' } as const;
type First = DispatchQuestion['first'];

export function DispatchForm({ onSend }: { onSend: (start: Partial<Draft>) => void }): JSX.Element {
  const words = missionText.dispatch;
  const geometry = useStore((s) => s.geometry);
  const address = useStore((s) => s.picked.address);
  const [first, setFirst] = useState<First>('vehicle');
  const [candidates, setCandidates] = useState<Record<string, string>>({});
  const [answer, setAnswer] = useState<DispatchAnswer | null>(null);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const own = geometry?.places.filter((place) => place.kind === KIND_OF[first]) ?? [];
  const forget = (): void => {
    setAnswer(null);
    setState({ choice: null });
  };
  useEffect(forget, [address, first, candidates]);
  const named = Object.keys(candidates).length > 0;
  const ask = async (): Promise<void> => {
    setTried(true);
    if (busy || !address || (!named && own.length === 0)) return;
    setBusy(true);
    const places = named ? candidates : Object.fromEntries(own.map((place) => [placeLabel(place), place.edge]));
    setAnswer(await askDispatcher({ address, first, places }));
    setBusy(false);
  };
  const send = (choice: DispatchChoice): void => {
    if (!address) return;
    onSend(first === 'vehicle' ? { vehicle: choice.name, from: choice.edge, to: address } : { from: address, to: choice.edge });
  };
  return (
    <form
      class="mission-form"
      noValidate
      data-testid="dispatch-form"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <fieldset class="choices">
        <legend class="caption">{words.question}</legend>
        {(['vehicle', 'hospital'] as const).map((name) => (
          <label key={name}>
            <input
              type="radio"
              name="first"
              checked={first === name}
              data-testid={`dispatch-${name}`}
              onChange={() => {
                setFirst(name);
                setCandidates({});
              }}
            />
            {words[name]}
          </label>
        ))}
      </fieldset>
      <PlaceField field="address" label={words.address} complaint={tried && !address ? missionText.form.required : ''} />
      <Candidates first={first} own={own.length} candidates={candidates} onChange={setCandidates} />
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy} data-testid="dispatch-submit">
          {words.submit}
        </button>
      </div>
      {answer && <Answer answer={answer} onSend={send} />}
    </form>
  );
}

interface CandidatesProps {
  first: First;
  own: number;
  candidates: Record<string, string>;
  onChange(candidates: Record<string, string>): void;
}

function Candidates({ first, own, candidates, onChange }: CandidatesProps): JSX.Element {
  const words = missionText.dispatch;
  const geometry = useStore((s) => s.geometry);
  const edge = useStore((s) => s.picked.candidate);
  const names = Object.keys(candidates);
  const add = (): void => {
    if (!edge || !geometry) return;
    onChange({ ...candidates, [nameOf(edge, geometry)]: edge });
    const picked = { ...getState().picked };
    delete picked.candidate;
    setState({ picked });
  };
  return (
    <div class="candidates">
      <PlaceField field="candidate" label={first === 'vehicle' ? words.candidatesVehicle : words.candidatesHospital} complaint="" />
      <button type="button" class="button" disabled={!edge} data-testid="candidate-add" onClick={add}>
        {words.add}
      </button>
      {names.length === 0 ? (
        <p class="muted small">{own > 0 ? words.cityOwn(own) : words.noneKnown}</p>
      ) : (
        <ul class="chips">
          {names.map((name) => (
            <li key={name}>
              {name}
              <button
                type="button"
                class="link"
                aria-label={words.remove(name)}
                onClick={() => onChange(Object.fromEntries(Object.entries(candidates).filter(([other]) => other !== name)))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Answer({ answer, onSend }: { answer: DispatchAnswer; onSend: (choice: DispatchChoice) => void }): JSX.Element {
  const words = missionText.dispatch;
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const shown = useStore((s) => s.choice);
  const operator = useMay('operator');
  const show = (choice: DispatchChoice): void => {
    setState({ choice });
    showWay();
  };
  return (
    <section class="corridor" aria-labelledby="answer-title" aria-live="polite">
      <h3 id="answer-title">
        {words.answer} <span class="muted small">{words.at(formatClock(epoch, answer.time_s))}</span>
      </h3>
      <table class="groups figures" data-testid="dispatch-answer">
        <thead>
          <tr>
            <th scope="col">{words.columns.name}</th>
            <th scope="col">{words.columns.time}</th>
            <th scope="col">{words.columns.first}</th>
            <th scope="col">{words.columns.way}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {answer.choices.map((choice) => (
            <tr key={choice.name} class={shown === choice ? 'chosen' : ''}>
              <th scope="row">
                <button type="button" class="link clipped" title={choice.name} aria-pressed={shown === choice} onClick={() => show(choice)}>
                  {choice.name}
                </button>
              </th>
              <td>
                <b>{formatDuration(choice.time_s)}</b> ± {formatDuration(choice.margin_s)}
              </td>
              <td>{formatWhole(100 * choice.chance_first)} %</td>
              <td>{formatDistance(choice.length_m)}</td>
              <td>
                <button type="button" class="button tight" disabled={!operator} aria-label={words.sendLabel(choice.name)} onClick={() => onSend(choice)}>
                  {words.send}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {answer.unreachable.length > 0 && <p class="small error-text">{words.unreachable(answer.unreachable.join(', '))}</p>}
      <p class="muted small">{words.hint}</p>
    </section>
  );
}
