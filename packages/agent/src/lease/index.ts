/** What a tablet with a store's lease decides by, without its agent. Runs in browsers. */
export { decideByLease, type LeaseDecision } from "./decide-by-lease.ts";
export { LeaseClock, type LeaseTime } from "./lease-clock.ts";
export type { DecidedHandOver, LeaseKnowledge } from "./snapshot-of.ts";
