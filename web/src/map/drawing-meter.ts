/** How fast the map draws, counted second by second. */

export interface MapStatistics {
  framesReceived: number;
  vehiclesDrawn: number;
  /** Pictures drawn since the start. */
  pictures: number;
  /** Drawn pictures in the last second. */
  fps: number;
  /** Milliseconds of main thread an animation frame took: mean and worst of the last second. */
  frameMs: number;
  frameMsWorst: number;
  /** Milliseconds to take in one frame from the socket. */
  intakeMs: number;
  /** Platform second that is drawn. */
  timeS: number;
}

export class DrawingMeter {
  readonly statistics: MapStatistics = {
    framesReceived: 0,
    vehiclesDrawn: 0,
    pictures: 0,
    fps: 0,
    frameMs: 0,
    frameMsWorst: 0,
    intakeMs: 0,
    timeS: 0,
  };
  private since = 0;
  private frames = 0;
  private sumMs = 0;
  private worstMs = 0;

  /** A picture was drawn. */
  drawn(): void {
    this.frames++;
    this.statistics.pictures++;
  }

  /** An animation frame took `ms`; true once a second, when the figures are new. */
  took(ms: number, nowMs: number): boolean {
    this.sumMs += ms;
    this.worstMs = Math.max(this.worstMs, ms);
    if (nowMs - this.since < 1000) return false;
    Object.assign(this.statistics, {
      fps: this.frames / ((nowMs - this.since) / 1000),
      frameMs: this.frames ? this.sumMs / this.frames : 0,
      frameMsWorst: this.worstMs,
    });
    this.since = nowMs;
    this.frames = this.sumMs = this.worstMs = 0;
    return true;
  }
}
