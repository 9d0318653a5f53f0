import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MapSocket, type ConnectionState } from '../src/live/map-socket';
import { heard, look } from '../src/state/freshness';
import { buildFrame } from './build-frame';

class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = FakeSocket.CONNECTING;
  binaryType = '';
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor() {
    FakeSocket.made.push(this);
  }
  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }
  send(what: string): void {
    this.said.push(what);
  }
  frame(timeS: number): void {
    this.onmessage?.({ data: buildFrame(timeS, []) });
  }
  said: string[] = [];
  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}

const newest = (): FakeSocket => FakeSocket.made[FakeSocket.made.length - 1];
let states: ConnectionState[] = [];
let line: MapSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('window', Object.assign(new EventTarget(), { setInterval, clearInterval, setTimeout, clearTimeout }));
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  FakeSocket.made = [];
  states = [];
  line = new MapSocket('ws://x', () => undefined, (state) => states.push(state));
  newest().open();
});

afterEach(() => {
  line.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('MapSocket', () => {
  it('says within three seconds that frames stopped', () => {
    newest().frame(1);
    vi.advanceTimersByTime(2000);
    expect(states).toEqual(['live']);
    vi.advanceTimersByTime(1000);
    expect(states).toEqual(['live', 'stale']);
  });

  it('takes the last frame, told once more as the twin goes, for no sign of life; a second one it does', () => {
    newest().frame(7);
    vi.advanceTimersByTime(5000);
    newest().frame(7);
    expect(states).toEqual(['live', 'stale']);
    vi.advanceTimersByTime(1000);
    newest().frame(7); // paused, then: it repeats itself each second
    expect(states).toEqual(['live', 'stale', 'live']);
  });

  it('asks for fewer frames while nobody looks, on a new connection too, and for all again at once', () => {
    line.rest(true);
    line.rest(true);
    expect(newest().said).toEqual(['calm']);
    newest().close();
    line.rest(false);
    line.rest(true);
    while (newest().readyState !== FakeSocket.CONNECTING) vi.advanceTimersByTime(50);
    newest().open();
    expect(newest().said).toEqual(['calm']);
    line.rest(false);
    expect(newest().said).toEqual(['calm', 'live']);
  });

  it('comes back by itself, with growing pauses', () => {
    newest().close();
    for (let ms = 0; ms < 60_000; ms += 50) {
      vi.advanceTimersByTime(50);
      if (newest().readyState === FakeSocket.CONNECTING) newest().close(); // nobody listens there
    }
    expect(FakeSocket.made.length).toBeGreaterThan(6);
    expect(FakeSocket.made.length).toBeLessThan(18);
    const tried = FakeSocket.made.length;
    while (FakeSocket.made.length === tried) vi.advanceTimersByTime(50);
    newest().open();
    newest().frame(2);
    expect(states.at(-1)).toBe('live');
  });

  it('does not come at once with all others when the network is back', () => {
    newest().close();
    window.dispatchEvent(new Event('online'));
    expect(FakeSocket.made.length).toBe(1);
    vi.advanceTimersByTime(600);
    expect(FakeSocket.made.length).toBe(2);
  });

  it('drops a connection from before the machine slept', () => {
    newest().frame(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000);
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.made.length).toBe(2);
    expect(states).toEqual(['live', 'reconnecting']);
    vi.restoreAllMocks();
  });
});

describe('age', () => {
  it('is told only when there is something to tell, and goes on without news', () => {
    heard(0.8, 10_000);
    expect([look(11_000), look(11_700)]).toEqual([0, 0]);
    expect([look(11_900), look(21_200)]).toEqual([3, 12]);
    heard(0.2, 30_000);
    expect(look(30_100)).toBe(0);
  });
});
