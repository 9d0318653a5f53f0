/** Where the map was before somebody looked at junctions, so that leaving them leads back there: also where the map was
 * moved by hand meanwhile, and where a flight was under way. */

export class LookBack<Camera> {
  private before: Camera | null = null;
  private aim: Camera | null = null;

  /** A junction is looked at; now: what the map shows. */
  chosen(now: Camera): void {
    this.before ??= this.aim ?? now;
  }

  /** Junctions are left: where to go; null: nobody looked at any. */
  left(): Camera | null {
    const { before } = this;
    this.before = null;
    return before;
  }

  flies(to: Camera): void {
    this.aim = to;
  }

  stands(): void {
    this.aim = null;
  }

  /** The whole city is shown: nothing to come back to. */
  forget(): void {
    this.before = null;
  }
}
