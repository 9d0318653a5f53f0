import { describe, expect, it } from 'vitest';
import { LookBack } from '../src/map/look-back';

describe('leaving a junction', () => {
  it('leads back to where the map was, once', () => {
    const map = new LookBack<string>();
    map.chosen('city');
    expect(map.left()).toBe('city');
    expect(map.left()).toBeNull();
  });
  it('does so after several junctions, and after moves by hand', () => {
    const map = new LookBack<string>();
    map.chosen('city');
    map.flies('junction A');
    map.stands();
    map.chosen('dragged beside A'); // B, clicked on the map
    expect(map.left()).toBe('city');
  });
  it('remembers whither the map flew, not a place on the way there', () => {
    const map = new LookBack<string>();
    map.chosen('city');
    map.flies(map.left() ?? '');
    map.chosen('half way back');
    expect(map.left()).toBe('city');
  });
  it('knows nothing to go back to once the whole city was asked for', () => {
    const map = new LookBack<string>();
    map.chosen('city');
    map.forget();
    expect(map.left()).toBeNull();
  });
});
