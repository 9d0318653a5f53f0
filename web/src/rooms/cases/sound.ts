/** A short tone when alarms come that nobody has noted. Off until somebody switches it on. */

import { makeStore } from '../../state/make-store';
import { onCases } from './summary';

const KEY = 'civicbrain-alarm-sound';
const AT_MOST_EVERY_MS = 5000;

const store = makeStore({ on: localStorage.getItem(KEY) === 'on' });
export const useSound = (): boolean => store.use((s) => s.on);

let audio: AudioContext | null = null;
let before = -1;
let last = 0;

export function switchSound(on: boolean): void {
  localStorage.setItem(KEY, on ? 'on' : 'off');
  store.set({ on });
  if (on) void tone(); // so that people hear what it sounds like, and the browser lets us
}

async function tone(): Promise<void> {
  audio ??= new AudioContext();
  await audio.resume();
  for (const [at, hz] of [
    [0, 660],
    [0.18, 880],
  ]) {
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    const start = audio.currentTime + at;
    oscillator.frequency.value = hz;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.15, start + 0.02);
    gain.gain.linearRampToValueAtTime(0, start + 0.16);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.17);
  }
}

onCases(({ unacknowledged }) => {
  const more = before >= 0 && unacknowledged > before;
  before = unacknowledged;
  if (!more || !store.get().on || Date.now() - last < AT_MOST_EVERY_MS) return;
  last = Date.now();
  void tone();
});
