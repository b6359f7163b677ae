/** When a site's counts were last reported, and for how long the report is valid. */
export interface Observation {
  /** In ms since 1970, truncated to whole seconds. */
  observedAtMs: number;
  /** Validity in ms. 0: not valid any more, because the site's places have changed since. */
  ttlMs: number;
}

/** A ttl, in s, that ends the reporting: the gateway's own counts apply again. */
export const ownCountsTtlS = 0xffff;

/**
 * Decodes a site's last report as stored with its site counts, little-endian: 6 bytes time of observation in ms, u16 ttl in s, then data
 * that tells one report from another. lua/includes/site-index.lua reads the two times. Undefined if the gateway's own counts apply.
 */
export function decodeReport(bytes: Buffer): Observation | undefined {
  const ttlS = bytes.readUInt16LE(6);
  if (ttlS === ownCountsTtlS) return undefined;
  return { observedAtMs: Math.floor(bytes.readUIntLE(0, 6) / 1000) * 1000, ttlMs: ttlS * 1000 };
}

/** Whether counts are known at an instant, in ms since 1970. The gateway's own counts, which have no observation, always are. */
export function isKnownAt(observation: Observation | undefined, atMs: number): boolean {
  return observation === undefined || (observation.ttlMs > 0 && atMs < observation.observedAtMs + observation.ttlMs);
}
