import { frameBytes } from '../src/live/frame';

export interface VehicleRow {
  number: number;
  x: number;
  y: number;
  angle?: number;
  speed?: number;
  kind?: number;
}

/** A CBF1 message as the server writes it, byte by byte with a DataView. */
export function buildFrame(
  timeS: number,
  vehicles: VehicleRow[],
  { lamps = 'Gr', delay = [123, 65535, 7], queue = [4, 5, 6], mode = [2, 1, 6], stage = [0, -1, 3], sequence = 9, speed = 1.5 } = {},
): ArrayBuffer {
  const [n, g, j] = [vehicles.length, lamps.length, delay.length];
  const message = new ArrayBuffer(frameBytes(n, g, j));
  const view = new DataView(message);
  [...'CBF1'].forEach((letter, k) => view.setUint8(k, letter.charCodeAt(0)));
  view.setUint32(4, sequence, true);
  view.setFloat64(8, timeS, true);
  view.setFloat32(16, speed, true);
  view.setUint32(20, n, true);
  view.setUint32(24, g, true);
  view.setUint32(28, j, true);
  let at = 32;
  const column = (bytes: number, values: number[], write: (offset: number, value: number) => void): void => {
    values.forEach((value, row) => write(at + row * bytes, value));
    at += Math.ceil((bytes * values.length) / 4) * 4;
  };
  column(4, vehicles.map((v) => v.number), (o, v) => view.setUint32(o, v, true));
  column(2, vehicles.map((v) => v.x), (o, v) => view.setUint16(o, v, true));
  column(2, vehicles.map((v) => v.y), (o, v) => view.setUint16(o, v, true));
  column(1, vehicles.map((v) => v.angle ?? 0), (o, v) => view.setUint8(o, v));
  column(1, vehicles.map((v) => v.speed ?? 0), (o, v) => view.setUint8(o, v));
  column(1, vehicles.map((v) => v.kind ?? 0), (o, v) => view.setUint8(o, v));
  column(1, [...lamps].map((c) => c.charCodeAt(0)), (o, v) => view.setUint8(o, v));
  column(2, delay, (o, v) => view.setUint16(o, v, true));
  column(2, queue, (o, v) => view.setUint16(o, v, true));
  column(1, mode, (o, v) => view.setUint8(o, v));
  column(1, stage, (o, v) => view.setInt8(o, v));
  return message;
}
