/**
 * CBF1, the binary map frame: little endian, a header of 32 bytes and then columns, each padded to 4 bytes.
 *
 *     0 "CBF1" | 4 u32 sequence | 8 f64 time_s | 16 f32 measured speed | 20 u32 n | 24 u32 g | 28 u32 j
 *     number u32[n], x u16[n], y u16[n], angle u8[n], speed u8[n], class u8[n],
 *     lamp u8[g], delay u16[j], queue u16[j], mode u8[j], stage i8[j]
 *
 * On the live stream lamps and junctions come less often than vehicles: g and j are 0 in between, and the columns of the
 * frame before go on.
 *
 * Columns are views into the message where the machine's byte order allows it: nothing is copied.
 */

/** Tenths of a delay or a queue that nobody knows: nobody was served lately. */
export const UNKNOWN_U16 = 65535;

export const HEADER_BYTES = 32;
const MAGIC = 0x31464243; // "CBF1" read as a little-endian u32
/** A frame larger than this is a mistake, not a city. */
const MAX_ROWS = 4_000_000;

export interface Frame {
  sequence: number;
  /** Platform second. */
  timeS: number;
  /** Simulated seconds per wall second, as measured by the twin. */
  speed: number;
  vehicles: number;
  /** Tells vehicles apart; counts up from 0 in a run. */
  number: Uint32Array;
  /** 0..65535 over the city's bounds. */
  x: Uint16Array;
  y: Uint16Array;
  /** 256 = a full turn, clockwise from north. */
  angle: Uint8Array;
  /** Steps of 0.25 m/s. */
  vehicleSpeed: Uint8Array;
  vehicleClass: Uint8Array;
  /** Lamp character of each city-wide signal group, ASCII. */
  lamp: Uint8Array;
  /** 0.1 s, one a junction. */
  delay: Uint16Array;
  /** 0.1 vehicles, one a junction. */
  queue: Uint16Array;
  mode: Uint8Array;
  stage: Int8Array;
}

export class FrameError extends Error {
  override name = 'FrameError';
}

const padded = (bytes: number): number => (bytes + 3) & ~3;

/** Size in bytes of a frame with n vehicles, g groups and j junctions. */
export function frameBytes(n: number, g: number, j: number): number {
  return (
    HEADER_BYTES + 4 * n + 2 * padded(2 * n) + 3 * padded(n) + padded(g) + 2 * padded(2 * j) + 2 * padded(j)
  );
}

/** Decode one message; throws FrameError on anything that is not a whole, sane frame. before: the frame that came
 * before it on the same connection. */
export function decodeFrame(message: ArrayBuffer, before: Frame | null = null): Frame {
  if (message.byteLength < HEADER_BYTES) {
    throw new FrameError(`frame cut off: ${message.byteLength} bytes, the header alone has ${HEADER_BYTES}`);
  }
  const view = new DataView(message);
  if (view.getUint32(0, true) !== MAGIC) throw new FrameError('not a CBF1 frame');
  const sequence = view.getUint32(4, true);
  const timeS = view.getFloat64(8, true);
  const speed = view.getFloat32(16, true);
  const n = view.getUint32(20, true);
  const g = view.getUint32(24, true);
  const j = view.getUint32(28, true);
  if (!Number.isFinite(timeS)) throw new FrameError('frame without a finite time');
  if (n > MAX_ROWS || g > MAX_ROWS || j > MAX_ROWS) throw new FrameError(`frame of ${n}, ${g}, ${j} rows`);
  const wanted = frameBytes(n, g, j);
  if (message.byteLength !== wanted) {
    throw new FrameError(`frame of ${message.byteLength} bytes where its header asks for ${wanted}`);
  }
  let at = HEADER_BYTES;
  const take = <T>(kind: { new (b: ArrayBuffer, o: number, l: number): T; BYTES_PER_ELEMENT: number }, rows: number): T => {
    const column = new kind(message, at, rows);
    at += padded(rows * kind.BYTES_PER_ELEMENT);
    return column;
  };
  const frame: Frame = {
    sequence,
    timeS,
    speed: Number.isFinite(speed) && speed >= 0 ? speed : 0,
    vehicles: n,
    number: take(Uint32Array, n),
    x: take(Uint16Array, n),
    y: take(Uint16Array, n),
    angle: take(Uint8Array, n),
    vehicleSpeed: take(Uint8Array, n),
    vehicleClass: take(Uint8Array, n),
    lamp: take(Uint8Array, g),
    delay: take(Uint16Array, j),
    queue: take(Uint16Array, j),
    mode: take(Uint8Array, j),
    stage: take(Int8Array, j),
  };
  if (g > 0 || j > 0 || !before) return frame;
  const { lamp, delay, queue, mode, stage } = before;
  return { ...frame, lamp, delay, queue, mode, stage };
}
