import { Latencies } from "./latencies.ts";
import type { LateLimits, Validity } from "./summary.ts";

/** How late the generator began intentions. */
export class Lateness {
  readonly #late = new Latencies(3);

  /** Number of intentions that were begun late. */
  get count(): number {
    return this.#late.count;
  }

  record(lateMs: number): void {
    this.#late.record(lateMs);
  }

  /** The lateness in ms that `percent` of the `sent` intentions do not exceed; those not recorded were not late. */
  percentileMs(percent: number, sent: number): number {
    const all = Math.max(sent, this.count);
    const rank = Math.ceil((percent * all) / 100);
    const onTime = all - this.count;
    return rank <= onTime ? 0 : this.#late.percentileMs(((rank - onTime) / this.count) * 100);
  }

  judge(sent: number, limits: LateLimits): Validity {
    const lateP99Ms = this.percentileMs(99, sent);
    const lateMaxMs = this.percentileMs(100, sent);
    const isValid = lateP99Ms <= limits.lateP99Ms && lateMaxMs <= limits.lateMaxMs;
    const rounded = (ms: number) => `${Math.ceil(ms)} ms`;
    const found = `1 % of the intentions ${rounded(lateP99Ms)} late or more, and one ${rounded(lateMaxMs)}`;
    const allowed = `${limits.lateP99Ms} and ${limits.lateMaxMs} ms are allowed`;
    const reason = `The generator began ${found}; ${allowed}, since latencies include it: use a lower rate, more processes or a quieter machine.`;
    return { isValid, lateP99Ms, lateMaxMs, limits, reasons: isValid ? [] : [reason] };
  }
}
