/** Language and units of this person, kept in this browser. Either is chosen once: the page starts anew with it. */

import type { JSX } from 'preact';
import { useStore } from '../state/store';
import { text } from '../text';
import { chooseLanguage, language, LANGUAGES, type Language } from '../text/language';
import { chooseUnits, DISTANCE_UNITS, getUnits, SPEED_UNITS, type Units } from '../units';
import { zoneName } from '../zone';
import { Icon } from './icon';

/** The button in the bar and what it opens; Esc and a click elsewhere close it, which the browser sees to. */
export function Preferences(): JSX.Element {
  const words = text.preferences;
  return (
    <>
      <button type="button" class="icon" aria-label={words.label} title={words.label} popovertarget="preferences" data-testid="preferences">
        <Icon name="globe" />
      </button>
      <div id="preferences" class="preferences" popover="auto" role="group" aria-label={words.label}>
        <PreferenceFields />
      </div>
    </>
  );
}

/** The fields alone, to stand in any menu. */
export function PreferenceFields(): JSX.Element {
  const words = text.preferences;
  const epoch = useStore((s) => s.city?.epoch);
  const units = getUnits();
  const change = (chosen: Partial<Units>): void => {
    chooseUnits(chosen);
    location.reload();
  };
  return (
    <>
      <Choice
        label={words.language}
        testid="language"
        value={language}
        options={Object.entries(LANGUAGES)}
        onChoose={(code) => chooseLanguage(code as Language)}
      />
      <Choice
        label={words.speed}
        testid="speed-unit"
        value={units.speed}
        options={SPEED_UNITS.map((unit) => [unit, unit])}
        onChoose={(unit) => change({ speed: unit as Units['speed'] })}
      />
      <Choice
        label={words.distance}
        testid="distance-unit"
        value={units.distance}
        options={DISTANCE_UNITS.map((unit) => [unit, unit === 'm' ? 'm, km' : 'ft, mi'])}
        onChoose={(unit) => change({ distance: unit as Units['distance'] })}
      />
      {epoch !== undefined && <p class="muted small">{words.zone(zoneName(epoch))}</p>}
    </>
  );
}

interface ChoiceProps {
  label: string;
  testid: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChoose: (value: string) => void;
}

function Choice({ label, testid, value, options, onChoose }: ChoiceProps): JSX.Element {
  return (
    <label class="field">
      <span class="caption">{label}</span>
      <select class="select" value={value} data-testid={testid} onChange={(event) => onChoose(event.currentTarget.value)}>
        {options.map(([code, name]) => (
          <option key={code} value={code} lang={testid === 'language' ? code : undefined}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
