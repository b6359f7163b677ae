import { Resolver } from "node:dns/promises";

/** Gives every address of a name; none where it has none. Ends early when the signal aborts. */
export type ResolveHost = (name: string, signal: AbortSignal) => Promise<string[]>;

/** How long one question to a name server may take, in ms, and how often it is asked: much less than an attempt. */
const questionTimeoutMs = 2000;
const questionTries = 2;

/** How names are asked for. */
export interface DnsOptions {
  /** Name servers as `address:port`. Default: the system's. */
  servers?: readonly string[];
}

/**
 * Makes what asks name servers. Not the system's own resolver: that one works in the few threads of the process, where a name that is answered
 * slowly would delay everybody's file system and everybody's deliveries. So `/etc/hosts` is not read.
 */
export function createDnsResolver({ servers }: DnsOptions = {}): ResolveHost {
  return async (name, signal) => {
    // Names of this machine, and those that never are any, which no name server need know (RFC 6761).
    if (/(^|\.)localhost\.?$/i.test(name)) return ["127.0.0.1", "::1"];
    if (/(^|\.)invalid\.?$/i.test(name)) return [];
    const resolver = new Resolver({ timeout: questionTimeoutMs, tries: questionTries });
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
