/**
 * The clock of the picture. Frames arrive unevenly; the picture is drawn about one frame behind the newest
 * and its clock runs at the twin's measured rate, drawn gently towards that distance. So vehicles move
 * evenly, stand when the twin is paused, and never run ahead of what is known.
 */

/** Wall seconds without a frame after which the clock no longer waits for an even rhythm. */
const STALL_S = 2.5;
/** Frames closer than this were waiting in line. */
const BUNCHED_S = 0.1;
/** Weight of the newest frame in the running means. */
const RATE_WEIGHT = 0.3;
/** Share of the distance error worked off each second. */
const PULL = 1.2;

export class PlaybackClock {
  /** Platform second that is drawn. */
  timeS = 0;
  private newestS = Number.NaN;
  private arrivedMs = 0;
  private ratePerS = 0;
  private gapS = 0;
  private lastMs = Number.NaN;

  /**
   * A frame came; speed: simulated seconds per wall second as the twin measured it, 0 where not known.
   * Returns true when the picture must start afresh (first frame, or time ran back).
   */
  arrive(timeS: number, nowMs: number, speed = 0): boolean {
    const fresh = !(timeS >= this.newestS);
    if (fresh) {
      this.newestS = timeS;
      this.timeS = timeS;
      this.ratePerS = 0;
      this.gapS = 0;
      this.arrivedMs = nowMs;
      this.lastMs = nowMs;
      return true;
    }
    if (timeS === this.newestS) return false; // a paused twin repeats itself
    const wallS = Math.max(0.02, (nowMs - this.arrivedMs) / 1000);
    const gapS = timeS - this.newestS;
    this.newestS = timeS;
    this.arrivedMs = nowMs;
    // arrivals bunch when the page was busy: the twin's own figure is the better rate, ours the fallback
    const rate = speed > 0 ? speed : wallS < BUNCHED_S || wallS > STALL_S ? this.ratePerS : gapS / wallS;
    if (this.ratePerS === 0) {
      this.ratePerS = rate || gapS / Math.min(wallS, 1);
      this.gapS = gapS;
    } else {
      this.ratePerS += (rate - this.ratePerS) * RATE_WEIGHT;
      // after a silence (a pause, a tab that slept) the rhythm from before it is the better guess
      if (wallS <= STALL_S) this.gapS += (gapS - this.gapS) * RATE_WEIGHT;
    }
    return false;
  }

  /** Move on to now; returns the second to draw. */
  advance(nowMs: number): number {
    if (Number.isNaN(this.newestS)) return this.timeS;
    const wallS = Math.max(0, (nowMs - this.lastMs) / 1000);
    this.lastMs = nowMs;
    const behindS = this.newestS - this.timeS;
    if (behindS <= 0 || this.ratePerS === 0) return this.timeS;
    if (behindS > 4 * this.gapS + 1) {
      this.timeS = this.newestS - this.gapS; // far behind (a tab that slept): do not race, go there
      return this.timeS;
    }
    // between arrivals the newest frame "ages": compare with where the twin is by now
    const twinS = this.newestS + Math.min(this.gapS, ((nowMs - this.arrivedMs) / 1000) * this.ratePerS);
    const errorS = twinS - this.gapS * 1.15 - this.timeS;
    const scale = Math.max(this.gapS, 1e-3);
    const rate = this.ratePerS * Math.min(1.6, Math.max(0.4, 1 + (PULL * errorS) / scale));
    this.timeS = Math.min(this.newestS, this.timeS + rate * wallS);
    return this.timeS;
  }
}
