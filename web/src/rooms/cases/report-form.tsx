/** A report that somebody makes by telephone or radio: what, who says it, where, since when. */

import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { INCIDENT_KINDS, REPORTERS, type IncidentKind, type Reporter } from '../../api/case-types';
import { casesApi } from '../../api/cases';
import { keepDraft, readDraft } from '../../state/draft';
import { go, useRoute } from '../../state/route';
import { toast, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { Icon } from '../../ui/icon';
import { RoomLeft } from '../../ui/room-left';
import { placeLabel } from '../../map/street-names';
import { newKey } from './actions';
import { useKeys } from './keys';
import { agoS, drivenLanes, placeAt, placeOf, type Spot } from './places';
import { markSpot, pickSpot, useSpot } from './spot';
import { casesText } from './text';
import { placeWords } from './words';

const words = casesText.report;

interface Draft {
  kind: IncidentKind;
  reporter: Reporter;
  lanes: readonly number[];
  ago: string;
  source: string;
  said: string;
  spot: Spot | null;
}

const DRAFT = 'report';
const NEW: Draft = { kind: 'crash', reporter: 'citizen', lanes: [], ago: '', source: '', said: '', spot: null };

export function ReportForm(): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const junction = useRoute((route) => route.query['junction'] ?? '');
  const operator = useMay('operator');
  const spot = useSpot((s) => s.spot);
  const kept = useRef(junction ? null : readDraft<Draft>(DRAFT)); // an alarm's report is one of its own
  const [draft, setDraft] = useState<Draft>(kept.current ?? NEW);
  const { kind, reporter, lanes, ago, source, said } = draft;
  const change = (part: Partial<Draft>): void => setDraft((old) => ({ ...old, ...part }));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  const key = useRef(newKey());
  const first = useRef<HTMLSelectElement>(null);
  const back = (): void => go('cases');
  useKeys({ Escape: back });
  useEffect(() => {
    first.current?.focus();
    void import('./map-layer').then((part) => part.startLayer()); // shows the place that is chosen
    if (kept.current) markSpot(kept.current.spot);
    return () => markSpot(null);
  }, []);
  useEffect(() => {
    if (draft !== NEW || spot) keepDraft(DRAFT, { ...draft, spot });
  }, [draft, spot]);
  useEffect(() => {
    if (geometry && junction) markSpot(placeOf(junction, geometry));
  }, [geometry, junction]);
  const edge = useRef(kept.current?.spot?.edge);
  useEffect(() => {
    if (spot && spot.edge !== edge.current) {
      if (edge.current !== undefined) change({ lanes: [] });
      edge.current = spot.edge;
    }
  }, [spot?.edge]);
  const there = geometry && spot ? drivenLanes(spot.edge, geometry) : [];

  const agoFits = agoS(ago) !== undefined;
  const send = async (): Promise<void> => {
    setTried(true);
    if (busy || !spot || !agoFits) return;
    setBusy(true);
    setRefusal('');
    try {
      const made = await casesApi.report({
        kind,
        reporter,
        source: source.trim(),
        text: said.trim(),
        place: { ...spot, lanes: [...lanes].sort((a, b) => a - b) },
        ago_s: agoS(ago) ?? null,
        key: key.current,
      });
      keepDraft(DRAFT, null);
      toast('note', made.new_case ? words.openedCase(made.case) : words.joined(made.case));
      go('cases', made.case, {}, true);
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      key.current = newKey(); // what is put right and sent again is another call
    }
    setBusy(false);
  };
  const discard = (): void => {
    kept.current = null;
    markSpot(null);
    setDraft(NEW);
    keepDraft(DRAFT, null);
    first.current?.focus();
  };
  return (
    <form
      class="report-form"
      noValidate
      data-testid="report-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <button type="button" class="link back" data-testid="report-back" onClick={back}>
        <Icon name="back" />
        {casesText.file.back}
      </button>
      <h2>{words.title}</h2>
      <p class="muted small">{words.explain}</p>
      {kept.current && draft !== NEW && (
        <p class="small" role="status" data-testid="report-draft">
          {words.draft}
          <button type="button" class="link" data-testid="report-discard" onClick={discard}>
            {words.discard}
          </button>
        </p>
      )}
      <label class="stacked">
        <span class="caption">{words.kind}</span>
        <select ref={first} class="select" value={kind} data-testid="report-kind" onChange={(event) => change({ kind: event.currentTarget.value as IncidentKind })}>
          {INCIDENT_KINDS.map((one) => (
            <option key={one} value={one}>
              {casesText.kind[one]}
            </option>
          ))}
        </select>
      </label>
      <SpotField wrong={tried && !spot} />
      {there.length > 0 && (
        <fieldset class="choices inline">
          <legend class="caption">{words.lanes}</legend>
          {there.map(([lane]) => (
            <label key={lane}>
              <input
                type="checkbox"
                checked={lanes.includes(lane)}
                data-testid={`report-lane-${lane + 1}`}
                onChange={(event) => change({ lanes: event.currentTarget.checked ? [...lanes, lane] : lanes.filter((one) => one !== lane) })}
              />
              {lane + 1}
            </label>
          ))}
        </fieldset>
      )}
      <fieldset class="choices inline">
        <legend class="caption">{words.reporter}</legend>
        {REPORTERS.map((one) => (
          <label key={one}>
            <input type="radio" name="reporter" value={one} checked={reporter === one} data-testid={`report-by-${one}`} onChange={() => change({ reporter: one })} />
            {casesText.reporter[one]}
          </label>
        ))}
      </fieldset>
      <div class="two">
        <label class="stacked">
          <span class="caption">{words.ago}</span>
          <input type="number" min={0} max={1440} value={ago} aria-invalid={!agoFits} data-testid="report-ago" onInput={(event) => change({ ago: event.currentTarget.value })} />
          {!agoFits && (
            <span class="small error-text" role="alert">
              {words.agoWrong}
            </span>
          )}
        </label>
        <label class="stacked">
          <span class="caption">{words.source}</span>
          <input type="text" maxLength={80} value={source} data-testid="report-source" onInput={(event) => change({ source: event.currentTarget.value })} />
        </label>
      </div>
      <label class="stacked">
        <span class="caption">{words.text}</span>
        <textarea rows={4} maxLength={2000} value={said} data-testid="report-text" onInput={(event) => change({ said: event.currentTarget.value })} />
        <RoomLeft value={said} most={2000} />
      </label>
      {refusal && (
        <p class="refusal" role="alert">
          {refusal}
        </p>
      )}
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy || !operator} data-testid="report-submit">
          {words.submit}
        </button>
      </div>
    </form>
  );
}

/** A place typed with the city's own names, or chosen by a click on the map. */
function SpotField({ wrong }: { wrong: boolean }): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const spot = useSpot((s) => s.spot);
  const picking = useSpot((s) => s.picking);
  const [typed, setTyped] = useState('');
  const [left, setLeft] = useState(false);
  const known = useMemo(
    () => (geometry ? [...new Set([...geometry.junctions.map((one) => one.name || one.id), ...geometry.places.map(placeLabel)])] : []),
    [geometry],
  );
  const type = (value: string): void => {
    setTyped(value);
    setLeft(false);
    if (geometry) markSpot(placeOf(value, geometry));
  };
  const says = wrong && !typed ? casesText.needed : typed && !spot && (left || wrong) ? words.unknownPlace : '';
  return (
    <div class="stacked">
      <label class="caption" for="report-place">
        {words.place}
      </label>
      <div class="place-field">
        <input
          id="report-place"
          type="text"
          list="report-places"
          autocomplete="off"
          placeholder={words.placeHint}
          value={typed}
          aria-invalid={says !== ''}
          aria-describedby="report-where"
          data-testid="report-place"
          onInput={(event) => type(event.currentTarget.value)}
          onBlur={() => setLeft(true)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.preventDefault(); // takes a suggestion; the report is sent by its button
          }}
        />
        <button
          type="button"
          class={`button pick ${picking ? 'active' : ''}`}
          aria-pressed={picking}
          aria-label={words.pick}
          title={words.pick}
          data-testid="report-pick"
          onClick={() =>
            pickSpot((x, y) => {
              setTyped('');
              return geometry && placeAt(x, y, geometry);
            })
          }
        >
          <Icon name="target" />
        </button>
      </div>
      <datalist id="report-places">
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <span id="report-where" class={`small ${says ? 'error-text' : 'muted'}`} role="status" data-testid="report-where">
        {picking ? words.picking : says || (spot && placeWords(asPlace(spot)))}
      </span>
    </div>
  );
}

const asPlace = (spot: Spot): Parameters<typeof placeWords>[0] => ({ ...spot, lanes: [], sensor: '' });
