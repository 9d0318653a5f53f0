/** Plays the past on the live map: fetches frames, moves the moment on, puts the picture between two frames. */

import { complain } from '../../state/actions';
import { getRoute, go } from '../../state/route';
import { getState } from '../../state/store';
import { withMap } from '../../state/with-map';
import { fetchFrames, fetchReplay, fetchStrip, isoOf, secondsOf } from './api';
import { FrameBuffer } from './frame-buffer';
import { nearestKept, neighbourMark } from './model';
import { EMPTY, getThen, setThen, spansOf, SPEEDS } from './store';

const DEFAULT_WINDOW_S = 600;
export const LONGEST_WINDOW_S = 24 * 3600;
/** The page is told of the moment so often; the map with each picture. */
const TELL_MS = 100;
/** A gap longer than this is stepped over while playing. */
const STEP_OVER_S = 2;

export class Player {
  private readonly buffer: FrameBuffer;
  private atS = 0;
  private lastMs = 0;
  private toldMs = 0;
  private request = 0;
  private ended = false;

  constructor(private readonly epoch: string) {
    const fetch = (fromS: number, toS: number, stepS: number) => fetchFrames(epoch, fromS, toS, stepS, getThen().run);
    const failed = (error: unknown): void => setThen({ trouble: error instanceof Error ? error.message : String(error) });
    this.buffer = new FrameBuffer(fetch, () => setThen({ trouble: '' }), failed);
    this.tick = this.tick.bind(this);
  }

  /** Begin where the address says, else with the last ten minutes. */
  async start(): Promise<void> {
    getState().map?.showNothing();
    const { query } = getRoute();
    const run = Math.max(0, Math.floor(Number(query['run'] ?? 0)) || 0);
    const given = (name: string): number => secondsOf(this.epoch, query[name] ?? '');
    let replay = null;
    try {
      replay = await fetchReplay(run);
    } catch (error) {
      complain(error);
    }
    if (this.ended) return;
    const last = replay?.spans.at(-1);
    const newestS = last ? secondsOf(this.epoch, last.end) : (getState().snapshot?.time_s ?? 0);
    const oldestS = last ? secondsOf(this.epoch, last.start) : newestS - DEFAULT_WINDOW_S;
    const at = given('at');
    const toS = Number.isFinite(given('to')) ? given('to') : Number.isFinite(at) ? at + DEFAULT_WINDOW_S / 2 : Math.floor(newestS);
    const from = Number.isFinite(given('from')) ? given('from') : Math.max(toS - DEFAULT_WINDOW_S, Math.min(Math.floor(oldestS), toS - 60));
    const fromS = Math.max(Math.min(from, toS - 1), toS - LONGEST_WINDOW_S);
    const speed = SPEEDS.findIndex((one) => String(one.factor) === query['speed']);
    setThen({ ...EMPTY, replay, run, fromS, toS, speed: Math.max(0, speed), junction: this.junctionOf(query['junction']) });
    this.seek(Number.isFinite(at) ? at : (nearestKept(spansOf(replay, this.epoch), fromS) ?? fromS));
    this.address();
    this.loadStrip();
    this.lookThere(query);
    requestAnimationFrame(this.tick);
  }

  end(): void {
    this.ended = true;
    getState().map?.leavePast();
    setThen(EMPTY);
  }

  setWindow(fromS: number, toS: number): void {
    setThen({ fromS, toS, strip: null });
    this.seek(this.atS);
    this.address();
    this.loadStrip();
    // more has been recorded since
    fetchReplay(getThen().run).then((replay) => !this.ended && setThen({ replay }), complain);
  }

  /** To what happened before or after the moment. */
  toMark(direction: 1 | -1): void {
    const mark = neighbourMark(getThen().strip?.marks ?? [], this.atS, direction);
    if (!mark) return;
    this.seek(mark.time_s);
    this.address();
  }

  /** To a moment of the window. */
  seek(timeS: number): void {
    const { fromS, toS } = getThen();
    this.atS = Math.min(toS, Math.max(fromS, timeS));
    setThen({ atS: this.atS });
    this.draw();
  }

  step(direction: 1 | -1): void {
    this.pause();
    this.seek(this.buffer.neighbour(this.atS, this.stepS, direction) ?? this.atS + direction * this.stepS);
    this.address();
  }

  play(): void {
    const { fromS, toS } = getThen();
    if (this.atS >= toS - 0.05) this.seek(fromS);
    this.lastMs = performance.now();
    setThen({ playing: true });
  }

  pause(): void {
    if (!getThen().playing) return;
    setThen({ playing: false, atS: Math.round(this.atS * 10) / 10 });
    this.address();
  }

  toggle(): void {
    if (getThen().playing) this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    setThen({ speed });
    this.address();
  }

  /** The address of this moment, with the map as it lies. */
  link(): string {
    const centre = getState().map?.view();
    const place: Record<string, string> = centre ? { map: centre.map((value) => value.toFixed(1)).join(',') } : {};
    return `${location.origin}${location.pathname}#/then?${new URLSearchParams({ ...this.query(), ...place })}`;
  }

  address(): void {
    if (getRoute().room === 'then') go('then', '', this.query(), true);
  }

  private get stepS(): number {
    return SPEEDS[getThen().speed].stepS;
  }

  private query(): Record<string, string> {
    const { fromS, toS, speed, run, junction } = getThen();
    const chosen = junction === null ? undefined : getState().geometry?.junctions[junction]?.id;
    return {
      from: isoOf(this.epoch, fromS),
      to: isoOf(this.epoch, toS),
      at: isoOf(this.epoch, Math.round(this.atS * 10) / 10),
      speed: String(SPEEDS[speed].factor),
      ...(run ? { run: String(run) } : {}),
      ...(chosen === undefined ? {} : { junction: chosen }),
    };
  }

  private junctionOf(id: string | undefined): number | null {
    const row = id === undefined ? -1 : (getState().geometry?.junctions.findIndex((one) => one.id === id) ?? -1);
    return row < 0 ? null : row;
  }

  private lookThere(query: Readonly<Record<string, string>>): void {
    const [x, y, zoom] = (query['map'] ?? '').split(',').map(Number);
    if ([x, y, zoom].every(Number.isFinite)) withMap((map) => map.look(x, y, zoom));
  }

  private loadStrip(): void {
    const { fromS, toS, run } = getThen();
    const request = ++this.request;
    fetchStrip(this.epoch, fromS, toS, run).then(
      (strip) => {
        if (request === this.request && !this.ended) setThen({ strip });
      },
      (error: unknown) => {
        if (request === this.request && !this.ended) complain(error);
      },
    );
  }

  private tick(nowMs: number): void {
    if (this.ended) return;
    requestAnimationFrame(this.tick);
    const { playing, speed, toS } = getThen();
    if (playing) {
      const passedS = Math.min(0.25, Math.max(0, (nowMs - this.lastMs) / 1000));
      // it waits for frames rather than run on without a picture
      if (this.buffer.has(this.atS, this.stepS)) this.atS = Math.min(toS, this.atS + passedS * SPEEDS[speed].factor);
      if (this.atS >= toS) this.pause();
    }
    this.lastMs = nowMs;
    this.draw();
    if (nowMs - this.toldMs >= TELL_MS) {
      this.toldMs = nowMs;
      setThen({ atS: Math.round(this.atS * 10) / 10 });
    }
  }

  private draw(): void {
    const { map } = getState();
    const { toS, playing } = getThen();
    const { stepS } = this;
    this.buffer.want(this.atS, stepS, playing ? 2 : 1, toS);
    const moment = this.buffer.find(this.atS, stepS);
    if (!moment) {
      const known = this.buffer.has(this.atS, stepS);
      setThen({ shown: known ? 'gap' : 'waiting' });
      if (known) map?.showNothing();
      const next = known && playing ? this.buffer.neighbour(this.atS, stepS, 1) : null;
      if (next !== null && next - this.atS > STEP_OVER_S) this.atS = Math.min(toS, next);
      return;
    }
    map?.takePast(moment.newer ? moment.older : null, moment.newer ?? moment.older, this.atS);
    setThen({ shown: 'frames', source: moment.source });
  }
}
