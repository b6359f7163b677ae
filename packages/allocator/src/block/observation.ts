/** When the counts of a site that reports them itself were observed, and how long that holds. */
export interface Observation {
  /** In ms since 1970, cut to whole seconds. */
  observedAtMs: number;
  /** How long it holds, in ms. 0: no more, the site's places have changed since. */
  ttlMs: number;
}

/** What a report says in place of how long it holds, in s, where it ends the reports. */
export const ownCountsTtlS = 0xffff;

/**
 * A site's last report as its tally has it, little-endian: 6 bytes of when it was observed in ms, u16 how long it holds in s, then as much
 * of what was reported as tells it from another. lua/includes/site-index.lua reads the two times. Undefined where the gateway's own counts
 * are in force.
 */
export function decodeReport(bytes: Buffer): Observation | undefined {
  const ttlS = bytes.readUInt16LE(6);
  if (ttlS === ownCountsTtlS) return undefined;
  return { observedAtMs: Math.floor(bytes.readUIntLE(0, 6) / 1000) * 1000, ttlMs: ttlS * 1000 };
}

/** Whether what was observed is known at an instant, in ms. The gateway's own counts, of which there is no observation, always are. */
export function isKnownAt(observation: Observation | undefined, atMs: number): boolean {
  return observation === undefined || (observation.ttlMs > 0 && atMs < observation.observedAtMs + observation.ttlMs);
}
