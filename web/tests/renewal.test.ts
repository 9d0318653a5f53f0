import { describe, expect, it } from 'vitest';
import { partOf } from '../src/state/renewal';

describe('the part of which a failed import speaks', () => {
  it.each([
    ['Failed to fetch dynamically imported module: http://127.0.0.1:80/assets/then-C64bWmGo.js', 'http://127.0.0.1:80/assets/then-C64bWmGo.js'],
    ['error loading dynamically imported module: https://city.example/assets/what-if-room-a_b-1.js', 'https://city.example/assets/what-if-room-a_b-1.js'],
    ['Unable to preload CSS for /assets/shift-room-yUZPNuZ3.css', '/assets/shift-room-yUZPNuZ3.css'],
  ])('%s', (message, part) => expect(partOf(new TypeError(message))).toBe(part));
  it('is not known where the browser does not say', () => expect(partOf(new TypeError('Importing a module script failed.'))).toBeNull());
});
