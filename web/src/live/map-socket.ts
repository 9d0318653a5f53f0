/** The websocket of map frames: connects, connects again with growing pauses, and says when frames stop. */

import { Backoff } from './backoff';
import { decodeFrame, type Frame } from './frame';

/** live: frames come. stale: connected, but nothing for a while. reconnecting: not connected. */
export type ConnectionState = 'connecting' | 'live' | 'stale' | 'reconnecting';

/** The connection is looked at so often. Limits count looks, not seconds: the page itself may be busy for a
 * while (compiling shaders) and hear only after that what has long arrived. */
const CHECK_MS = 250;
/** So many looks without a frame mean stale; a paused twin still sends each second. */
const STALE_CHECKS = 10;
/** A connection that has not opened after so many looks is given up. */
const OPEN_CHECKS = 40;
/** A look that comes so late means that the machine slept: its connection is worth nothing. */
const SLEPT_MS = 15_000;
/** What the server is told: see its `/v1/map`. */
const CALM = 'calm';
const LIVE = 'live';
/** Many pages hear of the network's return at once; they come back spread over this time. */
const HURRY_MS = 600;

export class MapSocket {
  state: ConnectionState = 'connecting';
  badFrames = 0;
  private socket: WebSocket | null = null;
  private lastFrameMs = 0;
  private openedMs = 0;
  private lastTimeS = Number.NaN;
  private echoes = 0;
  private lookedMs = performance.now();
  /** Looks since the last frame, or since the connection was asked for. */
  private checks = 0;
  private retry = 0;
  private readonly watch: number;
  private readonly backoff = new Backoff();
  private closed = false;
  private calm = false;

  constructor(
    private readonly url: string,
    private readonly onFrame: (frame: Frame) => void,
    private readonly onState: (state: ConnectionState) => void,
  ) {
    this.connect();
    this.watch = window.setInterval(() => this.check(), CHECK_MS);
    window.addEventListener('online', this.hurry);
    document.addEventListener('visibilitychange', this.hurry);
  }

  /** Whole wall seconds since the last frame, or since the connection was asked for. */
  get ageS(): number {
    return Math.floor((performance.now() - (this.lastFrameMs || this.openedMs)) / 1000);
  }

  /** Nobody looks: ask for one frame a second, which tells that all is well. Else as many as there are. */
  rest(calm: boolean): void {
    if (calm === this.calm) return;
    this.calm = calm;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(calm ? CALM : LIVE);
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.watch);
    window.clearTimeout(this.retry);
    window.removeEventListener('online', this.hurry);
    document.removeEventListener('visibilitychange', this.hurry);
    this.socket?.close();
  }

  private connect(): void {
    if (this.closed) return;
    window.clearTimeout(this.retry);
    this.openedMs = performance.now();
    this.checks = 0;
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let last: Frame | null = null;
    socket.onopen = () => {
      this.checks = 0;
      if (this.calm) socket.send(CALM);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (socket !== this.socket || !(event.data instanceof ArrayBuffer)) return;
      let frame: Frame;
      try {
        frame = decodeFrame(event.data, last);
        last = frame;
      } catch (error) {
        if (this.badFrames++ === 0) console.warn(String(error)); // said once, counted always
        return;
      }
      // as a twin goes, the server repeats its last frame once; a paused one repeats it each second
      const echo = this.state === 'stale' && frame.timeS === this.lastTimeS && this.echoes++ === 0;
      this.lastTimeS = frame.timeS;
      this.checks = 0;
      if (!echo) {
        this.echoes = 0;
        this.lastFrameMs = performance.now();
        this.backoff.reset();
        this.set('live');
      }
      this.onFrame(frame);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lost();
    };
  }

  private lost(): void {
    this.socket = null;
    if (this.closed) return;
    this.set('reconnecting');
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => this.connect(), this.backoff.next());
  }

  private check(): void {
    const nowMs = performance.now();
    const slept = nowMs - this.lookedMs > SLEPT_MS;
    this.lookedMs = nowMs;
    const socket = this.socket;
    if (!socket) return;
    if (slept) {
      this.socket = null;
      socket.close();
      this.set('reconnecting');
      this.hurry();
      return;
    }
    this.checks++;
    if (socket.readyState === WebSocket.CONNECTING && this.checks > OPEN_CHECKS) {
      this.socket = null;
      socket.close();
      this.lost();
    } else if (socket.readyState === WebSocket.OPEN && this.checks > STALE_CHECKS) {
      this.set('stale');
    }
  }

  private readonly hurry = (): void => {
    if (this.socket || this.closed || document.visibilityState !== 'visible') return;
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => this.connect(), HURRY_MS * Math.random());
  };

  private set(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
