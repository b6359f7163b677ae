import { Resolver } from "node:dns/promises";

/** Resolves a host name to all its addresses. Empty if it has none. Ends early when the signal aborts. */
export type ResolveHost = (name: string, signal: AbortSignal) => Promise<string[]>;

/** Time-out of one query, in ms, and the number of tries. Together much shorter than an attempt. */
const queryTimeoutMs = 2000;
const queryTries = 2;

export interface DnsOptions {
  /** Name servers as `address:port`. Default: the system's. */
  servers?: readonly string[];
}

/**
 * Creates a resolver that queries name servers directly. The system's resolver would run in the small thread pool of the process, where a slow name
 * delays all file system access and deliveries. Therefore `/etc/hosts` is not read.
 */
export function createDnsResolver({ servers }: DnsOptions = {}): ResolveHost {
  return async (name, signal) => {
    // Special names that are not queried (RFC 6761).
    if (/(^|\.)localhost\.?$/i.test(name)) return ["127.0.0.1", "::1"];
    if (/(^|\.)invalid\.?$/i.test(name)) return [];
    const resolver = new Resolver({ timeout: queryTimeoutMs, tries: queryTries });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
}
