/** One junction: who controls it and the override first, then what it does and why. Panel or page. */

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { JunctionDetail } from '../../api/types';
import { formatClock, formatTenth, formatWhole } from '../../format';
import { deciderWords } from '../../ledger/sentence';
import { personWords } from '../../state/takeovers';
import { css, lampColour, PALETTES } from '../../map/palette';
import { nameVehicle } from '../../now/held-for';
import { tryWhatIf } from '../../now/remedies';
import { WorstHere } from '../../now/worst';
import { JUNCTION, selectJunction } from '../../state/actions';
import { go, useRoute } from '../../state/route';
import { toast, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { text } from '../../text';
import { Icon } from '../../ui/icon';
import { progressOf } from './account';
import { Approaches } from './approaches';
import { Explanation } from './explanation';
import './junction.css';
import { queueNow } from './model';
import { useStageName } from './naming';
import { OverridePart } from './override';
import { registerPreviewLayer } from './preview-layer';
import { PlanDrawing } from './plan-drawing';
import { junctionStore, watchJunction } from './store';
import { words } from './text';
import { Timeline } from './timeline';

export function JunctionView(): JSX.Element {
  useEffect(registerPreviewLayer, []);
  const id = useRoute((route) => route.item);
  const page = useRoute((route) => route.query['view'] === 'page');
  const known = useStore((s) => s.geometry === null || s.selected !== null);
  const point = useStore((s) => (s.selected === null ? undefined : s.geometry?.junctions[s.selected]));
  const detail = useStore((s) => s.detail);
  const operator = useMay('operator');
  const name = detail?.name || point?.name || point?.id || id;
  useEffect(() => (known && id ? watchJunction(id) : undefined), [known, id]);
  return (
    <div class={`junction-room ${page ? 'as-page' : ''}`} data-testid="junction-panel">
      <header class="junction-head">
        <button type="button" class="link back" onClick={() => selectJunction(null)} data-testid="junction-back">
          <Icon name="back" />
          {text.junction.back}
        </button>
        <span class="head-tools">
          <button type="button" class="icon" title={words.copyLink} aria-label={words.copyLink} data-testid="junction-link" onClick={() => void copyLink()}>
            <Icon name="link" />
          </button>
          <button
            type="button"
            class="icon"
            title={page ? words.asPanel : words.asPage}
            aria-label={page ? words.asPanel : words.asPage}
            data-testid="junction-page"
            onClick={() => go(JUNCTION, id, page ? {} : { view: 'page' }, true)}
          >
            <Icon name={page ? 'panel' : 'fit'} />
          </button>
        </span>
      </header>
      <header class="junction-title">
        <h2 data-testid="junction-name">{name}</h2>
        {id !== name && <span class="caption">{id}</span>}
      </header>
      {!known && <p class="error-text">{words.unknownPlace(id)}</p>}
      {known && detail && (
        <div class="junction-parts">
          <div>
            <Facts detail={detail} />
            {operator && (
              <button type="button" class="link here" data-testid="junction-what-if" onClick={() => tryWhatIf(id)}>
                {words.whatIfHere}
              </button>
            )}
            <OverridePart detail={detail} />
            <WorstHere junction={id} />
            <Explanation detail={detail} />
          </div>
          <div>
            <PlanDrawing detail={detail} />
            <Timeline detail={detail} />
          </div>
          <div>
            <Approaches />
            <Groups detail={detail} />
            <Notes detail={detail} />
          </div>
        </div>
      )}
    </div>
  );
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    toast('note', words.copied);
  } catch {
    toast('error', words.notCopied);
  }
}

function Facts({ detail }: { detail: JunctionDetail }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const recent = junctionStore.use((s) => s.recent);
  // an override is in force before the controller has reported it
  const shownMode = recent?.override ? 'manual' : detail.mode;
  const mode = shownMode === null ? text.modeUnknown : (text.mode[shownMode] ?? shownMode);
  const since = recent?.modes.at(-1);
  const whole = recent && since && since.from_s <= recent.from_s;
  const longer = recent && recent.until_s - recent.from_s >= 300;
  const holder = recent?.holder ?? null;
  const who = (recent?.override && personWords(recent.override.actor)) ?? (holder ? deciderWords(holder.brain) : '');
  const geometry = useStore((s) => s.geometry);
  const named = recent?.held_for ? words.forVehicle(who, nameVehicle(recent.held_for, geometry)) : who;
  // a brain asks anew every few seconds: since when it holds says nothing; of an override it does
  const override = recent?.override ?? null;
  const until = override && progressOf(override, detail.stage) !== 'clearing' ? formatClock(epoch, override.expires_s) : '';
  const held = override ? words.heldBy(named, formatClock(epoch, override.since_s), until) : named;
  const name = useStageName(detail);
  const queue = queueNow(recent?.approaches, detail.queue_veh);
  return (
    <dl class="facts">
      <Fact name={text.junction.mode} value={mode} testid="junction-mode" hint={since && (whole ? (longer ? words.modeLong(mode) : mode) : words.modeSince(mode, formatClock(epoch, since.from_s)))} />
      <Fact name={words.held} value={override || holder ? held : detail.mode === 'local' ? words.nobody : text.indicators.unknown} testid="junction-holder" />
      <Fact name={text.junction.stage} value={detail.stage === null ? text.junction.noStage : name(detail.stage)} testid="junction-stage" />
      <Fact name={text.junction.queue} value={queue === null ? text.indicators.unknown : `${formatWhole(queue)} ${text.junction.vehicles}`} testid="junction-queue" hint={text.junction.queueHint} />
      <Fact name={text.junction.delay} value={detail.delay_s === null ? text.junction.unknown : `${formatTenth(detail.delay_s)} ${text.indicators.delayUnit}`} testid="junction-delay" hint={text.junction.delayHint} />
    </dl>
  );
}

function Fact({ name, value, testid, hint }: { name: string; value: string; testid: string; hint?: string | undefined }): JSX.Element {
  return (
    <div title={hint}>
      <dt>{name}</dt>
      <dd data-testid={testid}>{value}</dd>
    </div>
  );
}

function Groups({ detail }: { detail: JunctionDetail }): JSX.Element {
  const palette = PALETTES[useStore((s) => s.theme)];
  return (
    <section>
      <h3>{text.junction.groups}</h3>
      <table class="groups" data-testid="junction-groups">
        <thead>
          <tr>
            <th scope="col">{text.junction.group}</th>
            <th scope="col">{text.junction.lamp}</th>
            <th scope="col">{text.junction.kind}</th>
          </tr>
        </thead>
        <tbody>
          {detail.groups.map((group, k) => {
            const lamp = detail.lamps[k] ?? '';
            return (
              <tr
                key={group.id}
                title={group.approach ? `${text.junction.approach}: ${group.approach}` : undefined}
                onMouseEnter={() => junctionStore.set({ pointed: k })}
                onMouseLeave={() => junctionStore.set({ pointed: -1 })}
              >
                <th scope="row">{group.id}</th>
                <td>
                  <span class="lamp" style={{ background: css(lampColour(palette, lamp.charCodeAt(0))) }} />
                  {text.lamp[lamp] ?? text.lampUnknown}
                </td>
                <td class="muted">{text.kind[group.kind] ?? group.kind}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Notes({ detail }: { detail: JunctionDetail }): JSX.Element {
  return (
    <section>
      <p class="muted small">{text.junction.capability[detail.capability] ?? detail.capability}</p>
      {detail.warnings.length > 0 && (
        <>
          <h3>{text.junction.warnings}</h3>
          <ul class="notes">
            {detail.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
