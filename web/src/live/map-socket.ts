/** The websocket of map frames: connects, connects again with growing pauses, and says when frames stop. */

import { Backoff } from './backoff';
import { decodeFrame, type Frame } from './frame';

/** live: frames come. stale: connected, but nothing for a while. reconnecting: not connected. */
export type ConnectionState = 'connecting' | 'live' | 'stale' | 'reconnecting';

/** No frame for so long means stale; a paused twin still sends. */
export const STALE_AFTER_MS = 3000;
const CHECK_MS = 500;
/** A connection that never opens is given up after this. */
const OPEN_TIMEOUT_MS = 15_000;

export class MapSocket {
  state: ConnectionState = 'connecting';
  badFrames = 0;
  private socket: WebSocket | null = null;
  private lastFrameMs = 0;
  private openedMs = 0;
  private retry = 0;
  private readonly watch: number;
  private readonly backoff = new Backoff();
  private closed = false;

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
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (socket !== this.socket || !(event.data instanceof ArrayBuffer)) return;
      let frame: Frame;
      try {
        frame = decodeFrame(event.data);
      } catch (error) {
        if (this.badFrames++ === 0) console.warn(String(error)); // said once, counted always
        return;
      }
      this.lastFrameMs = performance.now();
      this.backoff.reset();
      this.set('live');
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
    const now = performance.now();
    const socket = this.socket;
    if (!socket) return;
    if (socket.readyState === WebSocket.CONNECTING && now - this.openedMs > OPEN_TIMEOUT_MS) {
      this.socket = null;
      socket.close();
      this.lost();
    } else if (socket.readyState === WebSocket.OPEN && now - Math.max(this.lastFrameMs, this.openedMs) > STALE_AFTER_MS) {
      this.set('stale');
    }
  }

  private readonly hurry = (): void => {
    if (!this.socket && !this.closed && document.visibilityState === 'visible') this.connect();
  };

  private set(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
