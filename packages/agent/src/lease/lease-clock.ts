/** What a tablet keeps of the time that has passed since it asked for its lease. */
export interface LeaseTime {
  /** How long ago that was at least, in ms. */
  readonly elapsedMs: number;
  /** The tablet's clock when that was noted, in ms since 1970. */
  readonly wallMs: number;
}

/** By how much a tablet's clock may go back between two looks at it, in ms: less than a person would set it. */
const stepBackMaxMs = 2000;

/**
 * A clock of a lease, which nobody can set back: of the time that the page has run and the change of the tablet's clock, the greater. A page's own clock stands still
 * while the device sleeps and begins anew with each page; a tablet's can be set. One that was set back ends the lease, and one that was set forward ends it earlier.
 *
 * @param options.steadyMs a clock that only goes on, of this page, in ms
 */
export class LeaseClock {
  readonly #steadyMs: () => number;
  readonly #wallMs: () => number;
  #noted: LeaseTime & { readonly steadyMs: number };
  #isSound = true;

  constructor(
    { steadyMs, wallMs }: { steadyMs: () => number; wallMs: () => number },
    noted: LeaseTime = { elapsedMs: 0, wallMs: wallMs() },
  ) {
    this.#steadyMs = steadyMs;
    this.#wallMs = wallMs;
    this.#noted = { ...noted, steadyMs: steadyMs() };
  }

  /** How long ago the lease was asked for, in ms. Infinity: nobody can say any more. */
  elapsedMs(): number {
    const [steadyMs, wallMs] = [this.#steadyMs(), this.#wallMs()];
    const [ranMs, changedMs] = [steadyMs - this.#noted.steadyMs, wallMs - this.#noted.wallMs];
    if (changedMs < ranMs - stepBackMaxMs || ranMs < 0) this.#isSound = false;
    this.#noted = { elapsedMs: this.#noted.elapsedMs + Math.max(ranMs, changedMs), wallMs, steadyMs };
    return this.#isSound ? this.#noted.elapsedMs : Number.POSITIVE_INFINITY;
  }

  /** What a later page goes on from. */
  note(): LeaseTime {
    return { elapsedMs: this.elapsedMs(), wallMs: this.#noted.wallMs };
  }
}
