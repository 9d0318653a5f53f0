/** Waiting times between attempts: doubling, with a limit, and a random part so that clients do not come in step. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly firstMs = 400,
    private readonly mostMs = 8000,
    private readonly random: () => number = Math.random,
  ) {}

  next(): number {
    const waitMs = Math.min(this.mostMs, this.firstMs * 2 ** this.attempts);
    this.attempts = Math.min(this.attempts + 1, 16);
    return waitMs * (0.75 + 0.5 * this.random());
  }

  reset(): void {
    this.attempts = 0;
  }
}
