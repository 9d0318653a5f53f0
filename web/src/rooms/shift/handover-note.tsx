/** The note of a shift to the next: what is open, what is held by hand, what is silent, what has changed. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Handover, Signature } from '../../api/case-types';
import { casesApi } from '../../api/cases';
import { complain } from '../../state/actions';
import { useStore } from '../../state/store';
import { Note, Span } from './note';
import { Signing } from './signing';
import { shiftText } from './text';

const words = shiftText.note;
const HOURS = [4, 8, 12, 24];
const LONGEST_H = 168;
const LAST = 'last';

/** Hours since the last shift was signed over; null where none was. */
function sinceLast(signatures: readonly Signature[]): number | null {
  const last = signatures[0];
  if (!last) return null;
  return Math.min(LONGEST_H, Math.max(0.01, (Date.now() - Date.parse(last.until)) / 3_600_000));
}

export function HandoverNote(): JSX.Element {
  const city = useStore((s) => s.city?.name ?? '');
  const [span, setSpan] = useState('');
  const [signatures, setSignatures] = useState<readonly Signature[] | null>(null);
  const [loaded, setLoaded] = useState<{ span: string; note: Handover } | null>(null);
  const [asked, setAsked] = useState(0);
  const last = sinceLast(signatures ?? []);
  const chosen = span || (last === null ? '8' : LAST);
  const hours = chosen === LAST ? (last ?? 8) : Number(chosen);
  const note = loaded?.span === chosen ? loaded.note : null; // never that of another span
  useEffect(() => {
    casesApi.signatures().then(setSignatures, (error: unknown) => {
      complain(error);
      setSignatures([]);
    });
  }, [asked]);
  useEffect(() => {
    if (signatures) casesApi.handover(hours).then((note) => setLoaded({ span: chosen, note }), complain);
  }, [signatures, chosen]);
  return (
    <article class="note" data-testid="handover-note">
      <header class="page-head">
        <div>
          <h2>{words.title(city)}</h2>
          {note && <Span note={note} />}
        </div>
        <div class="tools no-print">
          <label class="field">
            <span class="caption">{words.since}</span>
            <select class="select" value={chosen} data-testid="shift-since" onChange={(event) => setSpan(event.currentTarget.value)}>
              {last !== null && <option value={LAST}>{words.sinceLast}</option>}
              {HOURS.map((count) => (
                <option key={count} value={String(count)}>
                  {words.hours(count)}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="button" data-testid="shift-again" onClick={() => setAsked(asked + 1)}>
            {shiftText.again}
          </button>
          <button type="button" class="button" onClick={() => window.print()}>
            {shiftText.print}
          </button>
        </div>
      </header>
      {note ? <Note note={note} /> : <p class="muted">{shiftText.loading}</p>}
      {signatures && <Signing hours={hours} ready={note !== null} signatures={signatures} onChange={() => setAsked(asked + 1)} />}
    </article>
  );
}
