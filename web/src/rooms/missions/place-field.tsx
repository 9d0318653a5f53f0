/** A field for a place: typed with help from the city's places and junctions, or chosen by a click on the map. */

import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { CityGeometry } from '../../api/types';
import { useStore, type PickField } from '../../state/store';
import { missionText } from './text';
import { Icon } from '../../ui/icon';
import { words as nowWords } from '../../now/text';
import { pick, pickOnMap, turnRound } from './actions';
import { headingOf, oppositeOf } from './direction';
import { nameOf, placeLabel, resolvePlace, sectionIn, whereIs } from '../../map/street-names';
import { streetsOf } from '../../map/streets';
import { stillSays, suggest } from './typed-place';

interface PlaceFieldProps {
  field: PickField;
  label: string;
  /** What is wrong with it, when the form was sent too early. */
  complaint: string;
}

const suggestions = (geometry: CityGeometry | null): string[] =>
  geometry ? [...new Set([...geometry.places.map(placeLabel), ...geometry.junctions.map((j) => j.name || j.id)])] : [];

/** Puts the section into `picked` of the store, under its field. */
export function PlaceField({ field, label, complaint }: PlaceFieldProps): JSX.Element {
  const geometry = useStore((s) => s.geometry);
  const edge = useStore((s) => s.picked[field]);
  const picking = useStore((s) => s.picking === field);
  const [typed, setTyped] = useState('');
  const [left, setLeft] = useState(false);
  const known = useMemo(() => suggestions(geometry), [geometry]);
  useEffect(() => {
    // a click on the map, a form filled in beforehand, or a form that was emptied
    if (!geometry) return;
    if (edge === undefined) setTyped((old) => (resolvePlace(old, geometry, streetsOf(geometry)) === null ? old : ''));
    else setTyped((old) => (stillSays(old, edge, geometry, streetsOf(geometry)) ? old : nameOf(edge, geometry)));
  }, [edge, geometry]);
  const take = (value: string): void => {
    setTyped(value);
    setLeft(false);
    if (!geometry) return;
    const streets = streetsOf(geometry);
    pick(field, resolvePlace(value, geometry, streets), sectionIn(value, streets) !== null);
  };
  const wrong = complaint || (left && typed && edge === undefined ? missionText.form.unknown : '');
  return (
    <div class="stacked">
      <label class="caption" for={`place-${field}`}>
        {label}
      </label>
      <div class="place-field">
        <input
          id={`place-${field}`}
          type="text"
          list={`places-${field}`}
          autocomplete="off"
          placeholder={missionText.form.place}
          value={typed}
          aria-invalid={wrong !== ''}
          aria-describedby={wrong ? `wrong-${field}` : undefined}
          data-testid={`place-${field}`}
          onInput={(event) => take(event.currentTarget.value)}
          onBlur={() => setLeft(true)}
        />
        <button
          type="button"
          class={`button pick ${picking ? 'active' : ''}`}
          aria-pressed={picking}
          aria-label={`${label}: ${missionText.form.pick}`}
          title={missionText.form.pick}
          data-testid={`pick-${field}`}
          onClick={() => pickOnMap(field)}
        >
          <Icon name="target" />
        </button>
      </div>
      <datalist id={`places-${field}`}>
        {known.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {/* its room is kept: what is told here must not move the button that somebody aims at */}
      <div class="place-note">
        {wrong && (
          <span class="small error-text" id={`wrong-${field}`}>
            {wrong}
          </span>
        )}
        {geometry && edge === undefined && !picking && !wrong && (field === 'from' || field === 'to') && <Suggested field={field} geometry={geometry} />}
        {picking && (
          <span class="small picking" role="status">
            {missionText.form.picking}
          </span>
        )}
        {edge !== undefined && geometry && !picking && !wrong && <Direction field={field} edge={edge} geometry={geometry} />}
      </div>
    </div>
  );
}

/** The city's own places where a mission usually starts or ends, the nearest to its other end first. */
function Suggested({ field, geometry }: { field: 'from' | 'to'; geometry: CityGeometry }): JSX.Element {
  const words = missionText.form;
  const other = useStore((s) => s.picked[field === 'to' ? 'from' : 'to']);
  const places = useMemo(() => suggest(geometry, field, other), [geometry, field, other]);
  if (places.length === 0) return <p class="small muted">{words.noneKnown[field]}</p>;
  return (
    <p class="small suggested" data-testid={`suggested-${field}`}>
      <span class="muted">{words.suggested[field]}</span>
      {places.map((place) => (
        <button key={place.id} type="button" class="link" onClick={() => pick(field, place.edge)}>
          {placeLabel(place)}
        </button>
      ))}
    </p>
  );
}

/** Which section it is and which way it is driven; the other way, where the street has two. */
function Direction({ field, edge, geometry }: { field: PickField; edge: string; geometry: CityGeometry }): JSX.Element {
  const words = missionText.form;
  const streets = streetsOf(geometry);
  const { name, near } = whereIs(edge, geometry, streets);
  const heading = headingOf(edge, geometry);
  const other = oppositeOf(edge, geometry, streets);
  return (
    <p class="small muted direction" role="status" data-testid={`direction-${field}`}>
      {near ? missionText.near(name, near) : name}
      {heading !== null && `, ${words.towards(nowWords.worst.sides[heading])}`}{' '}
      {other ? (
        <button type="button" class="link" data-testid={`turn-${field}`} onClick={() => turnRound(field)}>
          {words.otherWay}
        </button>
      ) : (
        words.oneWay
      )}
    </p>
  );
}
