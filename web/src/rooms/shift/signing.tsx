/** The shift is signed over: by the log-in, to somebody, with what the lists do not say; and those before it. */

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Handover, Signature, SignedNote } from '../../api/case-types';
import { casesApi } from '../../api/cases';
import { complain } from '../../state/actions';
import { toast } from '../../state/store';
import { useMay } from '../../state/user';
import { formatRealTime } from '../../format';
import { actorWords } from '../cases/words';
import { RoomLeft } from '../../ui/room-left';
import { useModal } from '../../ui/use-modal';
import { Note, Span } from './note';
import { shiftText } from './text';

const words = shiftText.sign;

interface SigningProps {
  hours: number;
  /** The note is there to be read: nobody signs what they have not seen. */
  ready: boolean;
  signatures: readonly Signature[];
  onChange: () => void;
}

export function Signing({ hours, ready, signatures, onChange }: SigningProps): JSX.Element {
  const operator = useMay('operator');
  const [to, setTo] = useState('');
  const [remark, setRemark] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState<SignedNote | null>(null);
  const act = async (what: () => Promise<unknown>, says: string): Promise<void> => {
    setBusy(true);
    try {
      await what();
      toast('note', says);
      onChange();
    } catch (error) {
      complain(error);
    }
    setBusy(false);
  };
  const sign = async (): Promise<void> => {
    setTried(true);
    if (!to.trim() || busy || !ready) return;
    await act(() => casesApi.sign(to.trim(), hours, remark.trim()), words.signed(to.trim()));
    setTo('');
    setRemark('');
    setTried(false);
  };
  return (
    <>
      <section class="note-part print-signature">
        <p>{words.at} ______________________</p>
      </section>
      <section class="note-part no-print">
        <h3>{words.title}</h3>
        <p class="muted small">{operator ? words.explain : words.readOnly}</p>
        <form
          class="sign-form"
          noValidate
          data-testid="sign-form"
          onSubmit={(event) => {
            event.preventDefault();
            void sign();
          }}
        >
          <label class="stacked">
            <span class="caption">{words.to}</span>
            <input type="text" maxLength={80} value={to} aria-invalid={tried && !to.trim()} data-testid="sign-to" onInput={(event) => setTo(event.currentTarget.value)} />
            {tried && !to.trim() && <span class="small error-text">{words.needed}</span>}
          </label>
          <label class="stacked">
            <span class="caption">{words.remark}</span>
            <textarea rows={2} maxLength={2000} value={remark} data-testid="sign-remark" onInput={(event) => setRemark(event.currentTarget.value)} />
            <RoomLeft value={remark} most={2000} />
          </label>
          <button type="submit" class="button primary" disabled={!operator || busy || !ready} data-testid="sign">
            {words.submit}
          </button>
        </form>
        <h3>{words.past}</h3>
        {signatures.length === 0 && <p class="muted">{words.none}</p>}
        <ul class="plain-rows" data-testid="signatures">
          {signatures.map((one) => (
            <li key={one.id} data-testid={`signature-${one.id}`}>
              <span>
                <b>{words.row(actorWords(one.signed_by), one.given_to)}</b> {formatRealTime(one.until)}{' '}
                <span class={one.taken ? 'muted' : 'late-word'}>{one.taken ? words.taken(actorWords(one.taken_by), formatRealTime(one.taken)) : words.open}</span>
              </span>
              {one.remark && <q>{one.remark}</q>}
              <span class="tools">
                {!one.taken && (
                  <button type="button" class="button tight" disabled={!operator || busy} data-testid={`take-${one.id}`} onClick={() => void act(() => casesApi.take(one.id), words.took)}>
                    {words.take}
                  </button>
                )}
                <button type="button" class="link" data-testid={`show-${one.id}`} onClick={() => void casesApi.signed(one.id).then(setShown, complain)}>
                  {words.show}
                </button>
              </span>
            </li>
          ))}
        </ul>
      </section>
      {shown && <SignedPage signed={shown} onClose={() => setShown(null)} />}
    </>
  );
}

/** The note as it was signed, in the reader's language; of old ones only the text was kept. */
function SignedPage({ signed, onClose }: { signed: SignedNote; onClose: () => void }): JSX.Element {
  const dialog = useModal();
  const { signature, text, record, intact } = signed;
  const note = record ? (JSON.parse(record) as Handover) : null;
  return (
    <dialog ref={dialog} class="signed note" aria-labelledby="signed-title" data-testid="signed-note" onCancel={onClose}>
      <header class="page-head">
        <div>
          <h2 id="signed-title">{words.show}</h2>
          {note && <Span note={note} />}
          <p>
            <b>{words.row(actorWords(signature.signed_by), signature.given_to)}</b>{' '}
            {signature.taken && <span class="muted">{words.taken(actorWords(signature.taken_by), formatRealTime(signature.taken))}</span>}
          </p>
        </div>
        <button type="button" class="button primary" onClick={onClose}>
          {words.close}
        </button>
      </header>
      {!intact && (
        <p class="banner bad" role="alert">
          {words.broken}
        </p>
      )}
      {signature.remark && <q>{signature.remark}</q>}
      {note ? <Note note={note} /> : <pre tabIndex={0}>{text}</pre>}
      {note && (
        <details class="note-part">
          <summary>{words.asText}</summary>
          <pre tabIndex={0}>{text}</pre>
        </details>
      )}
      <p class="muted small hash">{words.hash(signature.sha256)}</p>
    </dialog>
  );
}
