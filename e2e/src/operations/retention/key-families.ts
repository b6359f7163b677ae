import type { Redis } from "ioredis";

/**
 * How the number of a family's keys is bounded. `by expiry`: each key has a time to live. `with live data`: proportional to the
 * reservations that are not archived. `never`: proportional to the network's participants, sites and regions.
 */
export type KeyEnd = "by expiry" | "with live data" | "never";

interface KeyFamily {
  name: string;
  pattern: RegExp;
  ends: KeyEnd;
}

const region = "\\{8[0-9a-f]{5}\\}";
const site = `${region}:site:[0-9a-z]+`;

const family = (name: string, pattern: string, ends: KeyEnd): KeyFamily => ({ name, pattern: new RegExp(`^${pattern}$`), ends });

/** Every family of keys of a gateway, by the name after the network's prefix. The soak test fails for keys of no family. */
export const keyFamilies: readonly KeyFamily[] = [
  family("reservations", `${region}:res:[0-9a-z]{16}`, "with live data"),
  family("bundles", `${region}:bundle:[0-9a-z]{16}`, "with live data"),
  family("events", `${region}:events`, "with live data"),
  family("deadlines", `${region}:deadlines`, "with live data"),
  family("chunks of participants' feeds", "\\{par_[0-9a-z]+\\}:log:(live|test):(\\d+|times)", "with live data"),
  family("heads of participants' feeds", "\\{par_[0-9a-z]+\\}:log:(live|test)", "never"),
  family("feed watermarks of regions", `${region}:logged`, "never"),
  family("who waits", `${region}:waiting(:sites|:\\d+(\\.\\d+)?)?`, "with live data"),
  family("changes of sites to tell", `${region}:site-(changes|shortages)`, "with live data"),
  family("when sites were told of", `${region}:sites-told`, "by expiry"),
  family("overdue parcels", `${region}:overdue`, "with live data"),
  family("allow lists of agents", `${site}:allowed`, "with live data"),
  family("changes of allow lists", `${site}:allowed-changes`, "by expiry"),
  family("PINs", `${site}:pins(-ended)?`, "with live data"),
  family("reports kept apart", `${site}:reports-apart`, "by expiry"),
  family("counts of refusals", `${site}:refusals`, "by expiry"),
  family("issued tokens", `(${site}:issued|${region}:issued:b?[0-9a-z]{16})`, "by expiry"),
  family("label codes", "label:[A-Za-z0-9_-]{18}", "by expiry"),
  family("revoked service credentials", `${site}:revoked`, "by expiry"),
  family("compartments by name", `${site}:compartments`, "with live data"),
  family("what callers use of gateways", "callers-use", "by expiry"),
  family("request ids", "req:[A-Za-z0-9_-]{18}", "by expiry"),
  family("stored responses", "kept-answer:.+", "by expiry"),
  family("answers", `${region}:answer:.+`, "by expiry"),
  family("used proofs", "proof:key_.+", "by expiry"),
  family("enrolments", `(enrolment(-end)?:enr_[0-9a-z]{16}|${site}:enrolments)`, "by expiry"),
  family("commands", `(command:cmd_[0-9a-z]{16}|command-count:.+|${site}:(open-)?commands)`, "by expiry"),
  family("commands that are due", "commands-due", "with live data"),
  family("keys that may sign commands", "command-keys:(live|test):.+", "never"),
  family("administrative changes", "\\{audit-(live|test)\\}:entries", "never"),
  family("administrative changes by maker", "\\{audit-(live|test)\\}:by:(par_[0-9a-z]+|gateway)", "by expiry"),
  family("dropped administrative changes", "\\{audit-(live|test)\\}:dropped", "never"),
  family("administrative changes archived until", "\\{audit-(live|test)\\}:archived-until", "never"),
  family("facts of the gateway that were recorded", "\\{audit-(live|test)\\}:facts", "never"),
  family("requests of administrative changes", "\\{audit-(live|test)\\}:request:[A-Za-z0-9_-]{18}", "by expiry"),
  family("plans", `${region}:plan:.+`, "by expiry"),
  family("marks of events", `${region}:event-mark:.+`, "by expiry"),
  family("leases of the archive", `${region}:archive-lease`, "by expiry"),
  family("leases of endpoints", "\\{[^}]+\\}:delivery:lease", "by expiry"),
  family("marks of durability", "(\\{[^}]*\\}:)?durability", "by expiry"),
  family("archived until", `${region}:archived-until`, "never"),
  family("sites", site, "never"),
  family("versions of allow lists", `${site}:allowed-version`, "never"),
  family("agents in charge", `${site}:agent`, "never"),
  family("watermarks of agents", `${site}:watermark:.+`, "never"),
  family("leases of agents", `${site}:lease:.+`, "never"),
  family(
    "index",
    `${region}:(site-counter|listed-sites|site-pauses|occupied-cells|(size-profiles|site-hours)(:uses)?|(block|tallies):[0-9a-f]{4})`,
    "never",
  ),
  family("regions", "(regions|country:[A-Z]{2}:regions)", "never"),
  family(
    "operators",
    "(operator-numbers|operator-counter|operator-links:(live|test)|operator:par_[0-9a-z]+:refs|operator-sites:.+)",
    "never",
  ),
  family("participants", "(participants|participant:par_[0-9a-z]+|keys-of:.+|key:key_.+|publishable-key:.+)", "never"),
  family("terms", "(terms|terms-numbers|terms-counter|(default|operator)-terms:.+)", "never"),
  family(
    "webhook endpoints",
    "(webhook-endpoints|webhook-endpoints-of:.+|\\{[^}]+\\}:(endpoint|delivery:(state|due|retries|replays)))",
    "never",
  ),
  family("the network's own", "(archive-id|audience|credentials-since|data-version|gateway-secrets|store-code|test-clock-offset)", "never"),
];

/** The keys and bytes of one family. */
export interface FamilyUse {
  ends: KeyEnd;
  keys: number;
  bytes: number;
}

/** The result of a walk over all keys of a network. */
export interface KeyWalk {
  families: Map<string, FamilyUse>;
  /** Keys of no family. */
  unknown: string[];
  /** Keys of families that end by themselves, without a time to live. */
  endless: string[];
}

/** Walks over all keys of a network on a single server. */
export async function walkKeys(redis: Redis, prefix: string): Promise<KeyWalk> {
  const walk: KeyWalk = { families: new Map(), unknown: [], endless: [] };
  for await (const found of redis.scanStream({ match: `${prefix}:*`, count: 1000 })) {
    const keys = found as string[];
    if (keys.length === 0) continue;
    const looks = redis.pipeline();
    for (const key of keys) looks.memory("USAGE", key, "SAMPLES", 0).pttl(key);
    const replies = ((await looks.exec()) ?? []).map(([, reply]) => Number(reply ?? 0));
    for (const [index, key] of keys.entries()) {
      const name = key.slice(prefix.length + 1);
      const known = keyFamilies.find(({ pattern }) => pattern.test(name));
      if (known === undefined) {
        walk.unknown.push(name);
        continue;
      }
      if (known.ends === "by expiry" && replies[2 * index + 1] === -1) walk.endless.push(name);
      const use = walk.families.get(known.name) ?? { ends: known.ends, keys: 0, bytes: 0 };
      walk.families.set(known.name, use);
      use.keys++;
      use.bytes += replies[2 * index] ?? 0;
    }
  }
  return walk;
}

/** The keys and bytes of all families that end in one way. */
export function usedBy({ families }: KeyWalk, ends: KeyEnd): { keys: number; bytes: number } {
  const uses = [...families.values()].filter((use) => use.ends === ends);
  return { keys: uses.reduce((sum, use) => sum + use.keys, 0), bytes: uses.reduce((sum, use) => sum + use.bytes, 0) };
}
