/** One mission: where it is, when it arrives, its junctions with predicted and actual times, and its cost. */

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { missionPath } from '../../api/client';
import type { Mission, Passage } from '../../api/mission-types';
import { formatClock, formatDistance, formatDuration, formatWhole } from '../../format';
import { sentenceWords } from '../../alerts/words';
import { css, PALETTES, type MissionColours } from '../../map/palette';
import { setState, useStore } from '../../state/store';
import { useMay } from '../../state/user';
import { text } from '../../text';
import { missionText } from './text';
import { ReasonDialog } from '../../ui/dialog';
import { cancelMission, showWay } from './actions';
import { stateClass, stateWord } from './missions-panel';
import { announcement, arrivalRange, formatSigned, latenessShown, phaseOf, predictionError, progress, wonShown, type Phase } from './model';
import { whereIs } from '../../map/street-names';
import { streetsOf } from '../../map/streets';

export function MissionDetail(): JSX.Element {
  const mission = useStore((s) => s.mission);
  if (!mission) return <p class="muted">{missionText.loading}</p>;
  return (
    <div data-testid="mission-detail">
      <div class="mission-title">
        <h2 data-testid="mission-name">{mission.vehicle || mission.id}</h2>
        <span class={`mission-state ${stateClass(mission)}`} data-testid="mission-state">
          {stateWord(mission)}
        </span>
      </div>
      <p class="muted">
        {missionText.kind[mission.kind] ?? mission.kind} · <span class={`urgency u${mission.urgency}`}>{missionText.urgency[mission.urgency]}</span>
      </p>
      <Announcer mission={mission} />
      {mission.state !== 'ended' && <Unheard />}
      <Figures mission={mission} />
      <Way mission={mission} />
      <Actions mission={mission} />
      <Corridor mission={mission} />
    </div>
  );
}

/** The brain that asks for green and follows the vehicle. */
const PRIORITY = 'priority';

/** Nobody would notice else why no junction opens. */
function Unheard(): JSX.Element | null {
  const state = useStore((s) => s.snapshot?.brains.find((one) => one.name === PRIORITY)?.state ?? 'running');
  return state === 'running' ? null : (
    <p class="small error-text" role="status" data-testid="mission-unheard">
      {missionText.unheard}
    </p>
  );
}

function Announcer({ mission }: { mission: Mission }): JSX.Element {
  const before = useRef<Mission | null>(null);
  const [said, setSaid] = useState('');
  useEffect(() => {
    const words = announcement(before.current, mission, (m) => missionText.says(m.vehicle || m.id, stateWord(m), m.next_junction));
    before.current = mission;
    if (words) setSaid(words);
  }, [mission]);
  return (
    <p class="for-readers" role="status">
      {said}
    </p>
  );
}

function Figures({ mission }: { mission: Mission }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const now = useStore((s) => s.snapshot?.time_s ?? 0);
  const range = arrivalRange(mission, now);
  const over = mission.state === 'ended';
  const arrived = over && mission.end === 'arrived';
  const won = mission.won_s;
  const showWon = won !== null && (!over || arrived);
  return (
    <dl class="tiles">
      {over ? (
        <Tile
          name={arrived ? missionText.wasEta : missionText.endedAt}
          value={mission.ended_s === null ? text.indicators.unknown : formatClock(epoch, mission.ended_s)}
          small={mission.ended_s === null ? '' : missionText.arrived(formatDuration(mission.ended_s - mission.created_s))}
          testid="mission-eta"
        />
      ) : (
        <Tile
          name={missionText.eta}
          value={mission.eta_s === null ? text.indicators.unknown : formatClock(epoch, mission.eta_s)}
          small={
            mission.eta_s === null
              ? ''
              : [missionText.etaIn(formatDuration(Math.max(0, mission.eta_s - now))), range && missionText.between(formatClock(epoch, range[0]), formatClock(epoch, range[1]))]
                  .filter(Boolean)
                  .join(' · ')
          }
          title={missionText.marginHint}
          testid="mission-eta"
        />
      )}
      <Tile
        name={over ? (showWon && won < 0 ? missionText.lost : missionText.won) : showWon && won < 0 ? missionText.willLose : missionText.willWin}
        value={showWon ? formatDuration(wonShown(mission, won)) : text.indicators.unknown}
        small={missionText.against}
        title={missionText.wonHint}
        tone={showWon ? (won < 0 ? 'worse' : 'better') : ''}
        testid="mission-won"
      />
      <Tile name={missionText.cost} value={formatWhole(mission.cross_wait_veh_s)} small={missionText.costUnit} title={missionText.costHint} testid="mission-cost" />
    </dl>
  );
}

interface TileProps {
  name: string;
  value: string;
  small: string;
  title?: string;
  tone?: string;
  testid: string;
}

function Tile({ name, value, small, title, tone, testid }: TileProps): JSX.Element {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd data-testid={testid}>
        <strong class={tone ? `verdict ${tone}` : ''}>{value}</strong>
        {small && <small>{small}</small>}
      </dd>
    </div>
  );
}

function Way({ mission }: { mission: Mission }): JSX.Element | null {
  const geometry = useStore((s) => s.geometry);
  if (!geometry) return null;
  const said = (edge: string): string => {
    const { name, near } = whereIs(edge, geometry, streetsOf(geometry));
    return near ? missionText.near(name, near) : name;
  };
  const done = mission.end === 'arrived' ? mission.length_m : mission.progress_m;
  const refused = Object.entries(mission.refused).map(([rule, count]) => `${rule} ${count}`);
  return (
    <>
      <p class="from-to">
        <span class="muted">{missionText.from}</span> {said(mission.from_edge)}
        <br />
        <span class="muted">{missionText.to}</span> {said(mission.to_edge)}
      </p>
      <div class="way">
        <progress max={1} value={mission.end === 'arrived' ? 1 : progress(mission)} aria-label={missionText.wayLabel} />
        <span class="muted small">{missionText.way(formatDistance(done), formatDistance(mission.length_m))}</span>
      </div>
      {mission.replanned > 0 && <p class="muted small">{missionText.replanned(mission.replanned)}</p>}
      {mission.note && <p class="muted small">{mission.said ? sentenceWords(mission.said) : mission.note}</p>}
      {refused.length > 0 && <p class="small error-text">{missionText.refused(refused.join(', '))}</p>}
    </>
  );
}

function Actions({ mission }: { mission: Mission }): JSX.Element {
  const follow = useStore((s) => s.follow);
  const operator = useMay('operator');
  const [asking, setAsking] = useState(false);
  const over = mission.state === 'ended';
  const vehicle = mission.vehicle || mission.id;
  return (
    <div class="mission-actions">
      <button type="button" class="button" disabled={mission.edges.length === 0} data-testid="mission-show" onClick={showWay}>
        {missionText.show}
      </button>
      {!over && (
        <button type="button" class="button" aria-pressed={follow} data-testid="mission-follow" onClick={() => setState({ follow: !follow })}>
          {follow ? missionText.unfollow : missionText.follow}
        </button>
      )}
      <a class="button" href={`${missionPath(mission.id)}/report`} target="_blank" rel="noopener" title={missionText.reportHint} data-testid="mission-report">
        {missionText.report}
      </a>
      {!over && (
        <button
          type="button"
          class="button danger"
          disabled={!operator}
          aria-label={missionText.cancelLabel}
          title={operator ? undefined : missionText.readOnly}
          data-testid="mission-cancel"
          onClick={() => setAsking(true)}
        >
          {missionText.cancel}
        </button>
      )}
      {asking && (
        <ReasonDialog
          title={missionText.cancelTitle(vehicle)}
          explain={missionText.cancelExplain}
          keep={missionText.keep}
          confirm={missionText.cancelConfirm}
          onCancel={() => setAsking(false)}
          onConfirm={(reason) => {
            setAsking(false);
            void cancelMission(mission.id, vehicle, reason);
          }}
        />
      )}
    </div>
  );
}

function Corridor({ mission }: { mission: Mission }): JSX.Element {
  const columns = missionText.columns;
  const error = predictionError(mission.passages);
  return (
    <section class="corridor" aria-labelledby="corridor-title">
      <h3 id="corridor-title">{missionText.corridor}</h3>
      {mission.passages.length === 0 ? (
        <p class="muted">{missionText.noCorridor}</p>
      ) : (
        <>
          <table class="groups figures" data-testid="mission-corridor">
            <thead>
              <tr>
                <th scope="col">{columns.junction}</th>
                <th scope="col">{columns.first}</th>
                <th scope="col">{columns.now}</th>
                <th scope="col">{columns.error}</th>
                <th scope="col" title={missionText.costHint}>
                  {columns.cost}
                </th>
              </tr>
            </thead>
            <tbody>
              {mission.passages.map((passage, k) => (
                <PassageRow key={`${passage.junction} ${k}`} number={k + 1} passage={passage} over={mission.state === 'ended'} />
              ))}
            </tbody>
          </table>
          <p class="muted small">
            {error !== null && `${missionText.meanError(formatDuration(error))} `}
            {missionText.columnsHint}
          </p>
        </>
      )}
    </section>
  );
}

function PassageRow({ passage, number, over }: { passage: Passage; number: number; over: boolean }): JSX.Element {
  const epoch = useStore((s) => s.city?.epoch ?? '');
  const geometry = useStore((s) => s.geometry);
  const colours = PALETTES[useStore((s) => s.theme)].mission;
  const junction = geometry?.junctions.find((one) => one.id === passage.junction);
  const phase = phaseOf(passage, over);
  const clock = (timeS: number | null): string => (timeS === null ? text.indicators.unknown : formatClock(epoch, timeS));
  const late = latenessShown(passage);
  const expected = passage.passed_s === null;
  return (
    <tr data-phase={phase} title={passage.reason || undefined}>
      <th scope="row">
        <span class="junction-name" title={junction?.name || passage.junction}>
          {number}. {junction?.name || passage.junction}
        </span>
        <span class="phase">
          <PhaseMark phase={phase} colours={colours} />
          {missionText.phase[phase]}
        </span>
      </th>
      <td>{clock(passage.first_predicted_s)}</td>
      <td class={expected ? 'expected' : ''}>
        {expected && over ? text.indicators.unknown : clock(passage.passed_s ?? passage.predicted_s)}
        {expected && !over && passage.predicted_s !== null && <small>{missionText.expected}</small>}
      </td>
      <td class={expected ? 'expected' : ''}>{late === null || (expected && over) ? '' : formatSigned(late)}</td>
      <td>{passage.opened_s === null ? '' : formatWhole(passage.cross_wait_veh_s)}</td>
    </tr>
  );
}

/** The marks of the map: hollow, ring, filled with a rim, small disc. */
function PhaseMark({ phase, colours }: { phase: Phase; colours: MissionColours }): JSX.Element {
  const colour = css(phase === 'returned' ? colours.waiting : colours[phase]);
  const small = phase === 'passed' || phase === 'returned';
  const filled = phase === 'green' || phase === 'passed';
  return (
    <svg class="phase-mark" viewBox="0 0 16 16" aria-hidden="true">
      <circle
        cx="8"
        cy="8"
        r={small ? 4 : 5.5}
        fill={filled ? colour : 'none'}
        stroke={phase === 'green' ? css(colours.text) : colour}
        stroke-width={phase === 'opening' ? 3.5 : 1.6}
      />
    </svg>
  );
}
