/** Which corridor: one that suggests itself, or any two junctions, from a list or the small map. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatDistance } from '../../format';
import { go } from '../../state/route';
import { useStore } from '../../state/store';
import type { Choice } from './api';
import { MiniMap } from './mini-map';
import { itemOf } from './model';
import { corridorText as text } from './text';

interface Props {
  choices: Choice[] | null;
  from: string;
  to: string;
  chain: readonly string[];
  query: Readonly<Record<string, string>>;
}

export function Chooser({ choices, from, to, chain, query }: Props): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const names = new Map((geometry?.junctions ?? []).map((one) => [one.id, one.name || one.id]));
  const [begin, setBegin] = useState(from);
  const [finish, setFinish] = useState(to);
  useEffect(() => {
    setBegin(from);
    setFinish(to);
  }, [from, to]);
  const open = (a: string, b: string): void => go('corridor', itemOf(a, b), query);
  const pick = (junction: string): void => {
    // the first click sets a new beginning, the second its end
    if (begin && finish) {
      setBegin(junction);
      setFinish('');
    } else if (junction !== begin) open(begin, junction);
  };
  return (
    <aside class="corridor-side" aria-label={text.choose}>
      <h1>{text.title}</h1>
      <p class="muted small">{text.explain}</p>
      <MiniMap chain={chain} from={begin} to={finish} label={text.choose} onPick={pick} />
      <form
        class="corridor-ends"
        onSubmit={(event) => {
          event.preventDefault();
          if (begin && finish) open(begin, finish);
        }}
      >
        <JunctionField name="from" label={text.from} value={begin} names={names} onChoose={setBegin} />
        <JunctionField name="to" label={text.to} value={finish} names={names} onChoose={setFinish} />
        <p>
          <button type="submit" class="button primary" disabled={!begin || !finish || begin === finish} data-testid="corridor-show">
            {text.show}
          </button>
          <button type="button" class="button" disabled={!from || !to} onClick={() => open(to, from)} data-testid="corridor-swap">
            {text.swap}
          </button>
        </p>
      </form>
      <h2>{text.suggested}</h2>
      <p class="muted small">{choices?.length === 0 ? text.noneSuggested : text.suggestedHint}</p>
      <ul class="corridor-choices" data-testid="corridor-choices">
        {(choices ?? []).map((choice) => {
          const here = choice.from_junction === from && choice.to_junction === to;
          return (
            <li key={choice.junctions.join()}>
              <button type="button" aria-current={here ? 'true' : undefined} onClick={() => open(choice.from_junction, choice.to_junction)}>
                <b class="clip" title={choice.name || undefined}>
                  {choice.name || <Ends from={names.get(choice.from_junction) ?? ''} to={names.get(choice.to_junction) ?? ''} />}
                </b>
                <span class="muted small">{text.choice(choice.junctions.length, formatDistance(choice.length_m))}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </aside>
  );
}

/** Both ends to be seen, however long their names are. */
function Ends({ from, to }: { from: string; to: string }): JSX.Element {
  return (
    <span class="corridor-pair" title={text.unnamed(from, to)}>
      <span class="clip">{from} –</span>
      <span class="clip">{to}</span>
    </span>
  );
}

function JunctionField({ name, label, value, names, onChoose }: { name: string; label: string; value: string; names: Map<string, string>; onChoose: (id: string) => void }): JSX.Element {
  const sorted = [...names].sort((a, b) => a[1].localeCompare(b[1]));
  return (
    <label>
      <span class="caption">{label}</span>
      <select class="select" value={value} data-testid={`corridor-${name}`} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{text.choose}</option>
        {sorted.map(([id, shown]) => (
          <option key={id} value={id}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
