import { beforeEach, describe, expect, it, vi } from 'vitest';

const kept = new Map<string, string>();
vi.stubGlobal('localStorage', {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
});
const { drawLayers, drawsPast, isOn, registerLayer, subscribeLayers, switchLayer } = await import('../src/map/layers');

const drawing = { common: {}, origin: [0, 0] as const, at: (x: number, y: number): [number, number] => [x, y], zoom: 14 };
const draws = (id: string) => ({ id, label: id, order: id.charCodeAt(0), on: true, draw: () => [id as never] });

describe('layers of the map', () => {
  beforeEach(() => kept.clear());

  it('draws what is on, from the bottom up, within the orders asked for', () => {
    const forget = [registerLayer(draws('b')), registerLayer(draws('a')), registerLayer({ ...draws('c'), on: false })];
    expect(drawLayers(drawing, 0, 1000)).toEqual(['a', 'b']);
    expect(drawLayers(drawing, 98, 1000)).toEqual(['b']);
    forget.forEach((one) => one());
    expect(drawLayers(drawing, 0, 1000)).toEqual([]);
  });

  it('offers over the past only what is drawn there', () => {
    expect([drawsPast(draws('a')), drawsPast({ ...draws('a'), past: true }), drawsPast({})]).toEqual([false, true, true]);
  });

  it('keeps what somebody chose, also for a layer that comes later', () => {
    switchLayer('late', true);
    const heard: boolean[] = [];
    const forget = registerLayer({ ...draws('late'), on: false, switched: (on) => heard.push(on) });
    expect(isOn('late')).toBe(true);
    switchLayer('late', false);
    expect(heard).toEqual([true, false]);
    expect(JSON.parse(kept.get('civicbrain-layers') ?? '')).toMatchObject({ late: false });
    forget();
  });

  it('puts a layer in the place of one with its id, and tells who listens', () => {
    const heard = vi.fn();
    const stop = subscribeLayers(heard);
    registerLayer(draws('x'));
    const forget = registerLayer({ ...draws('x'), draw: () => ['new' as never] });
    expect(drawLayers(drawing, 0, 1000)).toEqual(['new']);
    expect(heard).toHaveBeenCalledTimes(2);
    stop();
    forget();
  });
});
