/** One kind of change after the other, put together and added. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CityPlan, type PlanLine } from '../../desk/city-plan';
import { USE } from '../../map/geometry';
import { useStore } from '../../state/store';
import { nearestStreet, streetsOf } from '../../map/streets';
import { withClosure, withEvent, withPlan, wrapOffset } from './change';
import { localPlan, type OwnPlan } from './store';
import { words } from './text';
import type { Change } from './types';

const KINDS = ['close', 'demand', 'control', 'plan', 'event'] as const;
type Kind = (typeof KINDS)[number];
const REACH_PX = 14;
const LEAST_REACH_M = 15;

interface FieldsProps {
  change: Change;
  onChange: (change: Change) => void;
  /** The one that somebody came from, "" none: its plan is offered first, and the plan of the city begins there. */
  junction: string;
}

export function ChangeFields({ change, onChange, junction }: FieldsProps): JSX.Element {
  const text = words.form;
  const [kind, setKind] = useState<Kind | null>(junction ? 'plan' : null);
  const Fields = kind && { close: CloseFields, demand: DemandFields, control: ControlFields, plan: PlanFields, event: EventFields }[kind];
  return (
    <div class="change-fields">
      <div class="segments" role="radiogroup" aria-label={text.kind}>
        {KINDS.map((one) => (
          <button key={one} type="button" role="radio" aria-checked={kind === one} class={kind === one ? 'active' : ''} data-testid={`kind-${one}`} onClick={() => setKind(one)}>
            {text.kinds[one]}
          </button>
        ))}
      </div>
      {Fields ? <Fields change={change} onChange={onChange} junction={junction} /> : <p class="muted small">{text.missing.kind}</p>}
    </div>
  );
}

interface PickProps {
  /** Sections by the name of their field; the first empty one, or the last, takes a click. */
  fields: readonly { label: string; edge: string; set: (edge: string) => void }[];
  closed: readonly string[];
  junction: string;
}

/** Sections typed, or chosen on the plan. */
function SectionPicker({ fields, closed, junction }: PickProps): JSX.Element {
  const text = words.form;
  const geometry = useStore((s) => s.geometry);
  const [active, setActive] = useState(0);
  if (!geometry) return <p class="muted">…</p>;
  const streets = streetsOf(geometry);
  const near = geometry.junctions.find((one) => one.id === junction);
  const line = (edge: string, look: string): PlanLine[] => {
    const row = streets.row.get(edge);
    return row === undefined ? [] : [{ points: streets.line[row], look }];
  };
  const shown = [...closed.flatMap((edge) => line(edge, 'plan-closed')), ...fields.flatMap(({ edge }, k) => line(edge, `plan-chosen n${k}`))];
  return (
    <>
      <div class="line">
        {fields.map(({ label, edge, set }, k) => (
          <label key={label} class="stacked grow">
            <span class="caption">{label}</span>
            <input type="text" value={edge} data-testid={`section-${k}`} aria-invalid={edge !== '' && !streets.row.has(edge)} onFocus={() => setActive(k)} onInput={(event) => set(event.currentTarget.value.trim())} />
            {edge !== '' && !streets.row.has(edge) && <span class="small error-text">{text.noSection}</span>}
          </label>
        ))}
      </div>
      <p class="muted small">{fields.length > 1 ? text.choosing(fields[active].label) : text.sectionHint}</p>
      <CityPlan
        geometry={geometry}
        label={text.plan}
        zoomIn={words.plan.zoomIn}
        zoomOut={words.plan.zoomOut}
        lines={shown}
        near={near && [near.x_m, near.y_m]}
        onPoint={(x, y, metresPerPixel) => {
          const found = nearestStreet(streets, x, y, Math.max(LEAST_REACH_M, REACH_PX * metresPerPixel));
          if (!found) return;
          fields[active].set(found.id);
          if (active + 1 < fields.length) setActive(active + 1);
        }}
      />
    </>
  );
}

function CloseFields({ change, onChange, junction }: FieldsProps): JSX.Element {
  const text = words.form;
  const geometry = useStore((s) => s.geometry);
  const [edge, setEdge] = useState('');
  const [lanes, setLanes] = useState<readonly number[]>([]);
  useEffect(() => setLanes([]), [edge]);
  const row = geometry ? streetsOf(geometry).row.get(edge) : undefined;
  const uses = geometry && row !== undefined ? geometry.lanes.use.filter((_, lane) => geometry.lanes.edge[lane] === row) : [];
  const add = (): void => {
    onChange(withClosure(change, { edge, lanes: lanes.length === uses.length ? [] : [...lanes] }));
    setEdge('');
  };
  return (
    <>
      <SectionPicker fields={[{ label: text.section, edge, set: setEdge }]} closed={change.closures.map((one) => one.edge)} junction={junction} />
      {uses.length > 1 && (
        <fieldset>
          <legend class="caption">{text.lanes}</legend>
          <div class="options">
            {uses.map((use, index) => (
              <label key={index} class="check">
                <input
                  type="checkbox"
                  checked={lanes.includes(index)}
                  disabled={(use & USE.motor) === 0}
                  onChange={(event) => setLanes(event.currentTarget.checked ? [...lanes, index] : lanes.filter((lane) => lane !== index))}
                />
                {text.lane(index, index === uses.length - 1)}
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <AddButton missing={row === undefined ? text.missing.section : ''} onAdd={add} />
    </>
  );
}

function DemandFields({ change, onChange }: FieldsProps): JSX.Element {
  const [percent, setPercent] = useState(120);
  return (
    <>
      <label class="stacked">
        <span class="caption">{words.form.demand}</span>
        <input type="number" min={10} max={300} step={5} value={percent} data-testid="demand" onInput={(event) => setPercent(Number(event.currentTarget.value))} />
      </label>
      <AddButton missing={percent >= 10 && percent <= 300 && percent !== 100 ? '' : words.form.missing.percent} onAdd={() => onChange({ ...change, demand_factor: Math.round(percent) / 100 })} />
    </>
  );
}

function ControlFields({ change, onChange }: FieldsProps): JSX.Element {
  const controls = useStore((s) => s.controls);
  const offered = (controls?.available ?? []).filter((one) => (one.program === 'central' || one.program === 'fixed') && one.name !== controls?.current);
  const [name, setName] = useState('');
  return (
    <>
      <label class="stacked">
        <span class="caption">{words.form.control}</span>
        <select value={name} data-testid="control" onChange={(event) => setName(event.currentTarget.value)}>
          <option value="">–</option>
          {offered.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name} – {one.summary}
            </option>
          ))}
        </select>
      </label>
      <p class="muted small">{words.form.controlNote}</p>
      <AddButton missing={name ? '' : words.form.missing.control} onAdd={() => onChange({ ...change, control: name })} />
    </>
  );
}

function PlanFields({ change, onChange, junction: first }: FieldsProps): JSX.Element {
  const text = words.form;
  const junctions = useStore((s) => s.geometry)?.junctions ?? [];
  const [junction, setJunction] = useState(first);
  const [steps, setSteps] = useState<{ stage: string; duration_s: number }[]>([]);
  const [offset, setOffset] = useState(0);
  const [own, setOwn] = useState<OwnPlan | null>(null);
  useEffect(() => {
    let gone = false;
    setSteps([]);
    setOwn(null);
    if (junction)
      void localPlan(junction).then((plan) => {
        if (gone || !plan) return;
        setSteps(plan.steps);
        setOffset(wrapOffset(plan.offset_s, plan.steps.map((step) => step.duration_s)));
        setOwn(plan);
      });
    return () => {
      gone = true;
    };
  }, [junction]);
  const durations = steps.map((step) => step.duration_s);
  const fits = steps.length > 0 && durations.every((one) => one >= 1 && one <= 3600);
  const cycle = durations.reduce((sum, one) => sum + one, 0);
  // under its own plan, that plan changes nothing
  const same = own !== null && own.followed && own.steps.every((step, k) => step.duration_s === durations[k]) && wrapOffset(own.offset_s, durations) === wrapOffset(offset, durations);
  return (
    <>
      <div class="line">
        <label class="stacked grow">
          <span class="caption">{text.junction}</span>
          <select value={junction} data-testid="plan-junction" onChange={(event) => setJunction(event.currentTarget.value)}>
            <option value="">–</option>
            {junctions.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name && one.name !== one.id ? `${one.name} (${one.id})` : one.id}
              </option>
            ))}
          </select>
        </label>
        {steps.map((step, k) => (
          <label key={k} class="stacked">
            <span class="caption">{text.stage(step.stage)}</span>
            <input
              type="number"
              min={1}
              max={3600}
              value={step.duration_s}
              data-testid={`step-${k}`}
              onInput={(event) => setSteps(steps.map((old, at) => (at === k ? { ...old, duration_s: Number(event.currentTarget.value) } : old)))}
            />
          </label>
        ))}
        {steps.length > 0 && (
          <label class="stacked">
            <span class="caption">{text.offset}</span>
            <input type="number" min={0} max={cycle} value={offset} data-testid="plan-offset" onInput={(event) => setOffset(Number(event.currentTarget.value) || 0)} />
          </label>
        )}
      </div>
      {own && (
        <p class="muted small" data-testid="plan-note">
          {own.followed ? (same ? text.planSame : text.planOwn) : text.planBrain} {text.cycle(String(Math.round(10 * cycle) / 10))}
        </p>
      )}
      <AddButton missing={!junction ? text.missing.junction : steps.length > 0 && !fits ? text.planBounds : same ? text.missing.figure : ''} enabled={fits && !same} onAdd={() => onChange(withPlan(change, { junction, durations_s: durations, offset_s: wrapOffset(offset, durations) }))} />
    </>
  );
}

function EventFields({ change, onChange, junction }: FieldsProps): JSX.Element {
  const text = words.form;
  const geometry = useStore((s) => s.geometry);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [rate, setRate] = useState(600);
  const known = (edge: string): boolean => geometry !== null && streetsOf(geometry).row.has(edge);
  return (
    <>
      <SectionPicker
        fields={[
          { label: text.from, edge: from, set: setFrom },
          { label: text.to, edge: to, set: setTo },
        ]}
        closed={change.closures.map((one) => one.edge)}
        junction={junction}
      />
      <label class="stacked">
        <span class="caption">{text.rate}</span>
        <input type="number" min={1} max={5000} step={50} value={rate} data-testid="rate" onInput={(event) => setRate(Number(event.currentTarget.value))} />
      </label>
      <AddButton missing={!known(from) || !known(to) || from === to ? text.missing.ends : rate >= 1 && rate <= 5000 ? '' : text.missing.rate} onAdd={() => onChange(withEvent(change, { from_edge: from, to_edge: to, veh_per_h: rate }))} />
    </>
  );
}

/** missing: what keeps the change from being added, said beside the button. enabled: where nothing is missing but time. */
function AddButton({ missing, enabled = !missing, onAdd }: { missing: string; enabled?: boolean; onAdd: () => void }): JSX.Element {
  return (
    <div class="submit-line">
      <button type="button" class="button" disabled={!enabled} aria-describedby="change-missing" data-testid="change-add" onClick={onAdd}>
        {words.form.add}
      </button>
      <span id="change-missing" class="muted small" data-testid="change-missing">
        {missing}
      </span>
    </div>
  );
}
