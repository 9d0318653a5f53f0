import { describe, expect, it } from 'vitest';
import { upBy } from '../src/ui/toasts';

const box = (left: number, top: number, width: number, height: number): { left: number; top: number; right: number; bottom: number } => ({ left, top, right: left + width, bottom: top + height });

describe('where messages stand', () => {
  const toasts = box(400, 66, 460, 50);
  it('is their one place as long as nothing pressed is there', () => {
    expect(upBy(toasts, null)).toBe(0);
    expect(upBy(toasts, box(10, 300, 80, 30))).toBe(0);
    expect(upBy(toasts, box(420, 130, 80, 30))).toBe(0);
  });
  it('is above the button that was just pressed, never on it', () => {
    const pressed = box(500, 80, 90, 36);
    expect(upBy(toasts, pressed)).toBe(44);
    const moved = box(400, 66 - 44, 460, 50);
    expect(moved.bottom).toBeLessThan(pressed.top);
  });
});
