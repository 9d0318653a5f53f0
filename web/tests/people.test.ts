import { describe, expect, it } from 'vitest';
import { ago, describe as inWords, program } from '../src/rooms/people/model';

const NOW = Date.parse('2026-11-22T12:00:00Z');

describe('the room of people', () => {
  it('tells times by the largest unit that fits', () => {
    expect(ago('2026-11-22T11:59:40Z', NOW)).toBe('20 sec ago');
    expect(ago('2026-11-22T11:55:00Z', NOW)).toBe('5 min ago');
    expect(ago('2026-11-22T15:00:00Z', NOW)).toBe('in 3 hr');
    expect(ago('2026-11-20T12:00:00Z', NOW)).toMatch(/^2 days ago$/);
    expect(ago('2026-11-22T12:00:00Z', NOW)).toBe('now');
  });

  it('names browsers, and programs by what they call themselves', () => {
    const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
    expect(program(chrome)).toBe('Chrome 156');
    expect(program(`${chrome} Edg/155.0.0.0`)).toBe('Edge 155');
    expect(program('Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/140.0')).toBe('Firefox 140');
    expect(program('curl/8.5.0 (linux)')).toBe('curl/8.5.0');
    expect(program('')).toBe('–');
  });

  it('puts an entry on one line and leaves out what is empty', () => {
    expect(inWords({ user: 'kim', before: '', role: 'viewer', why: null })).toBe('user: kim · role: viewer');
  });
});
