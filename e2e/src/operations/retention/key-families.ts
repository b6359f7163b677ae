import type { Redis } from "ioredis";

/**
 * How the keys of a family end. `by itself`: each has a time to live. `with what lives`: there are as many, and they are as large, as what has not left for
 * the archive. `never`: there are as many as the network has participants, sites and regions.
 */
export type KeyEnd = "by itself" | "with what lives" | "never";

interface KeyFamily {
  name: string;
  pattern: RegExp;
  ends: KeyEnd;
}

const region = "\\{8[0-9a-f]{5}\\}";
const site = `${region}:site:[0-9a-z]+`;

const family = (name: string, pattern: string, ends: KeyEnd): KeyFamily => ({ name, pattern: new RegExp(`^${pattern}$`), ends });

/** Every family of keys that a gateway keeps, by the names behind the prefix of its network. What is none of these fails the soak. */
export const keyFamilies: readonly KeyFamily[] = [
  family("reservations", `${region}:res:[0-9a-z]{16}`, "with what lives"),
  family("bundles", `${region}:bundle:[0-9a-z]{16}`, "with what lives"),
  family("events", `${region}:events`, "with what lives"),
  family("deadlines", `${region}:deadlines`, "with what lives"),
  family("chunks of participants' logs", "\\{par_[0-9a-z]+\\}:log:(live|test):(\\d+|times)", "with what lives"),
  family("heads of participants' logs", "\\{par_[0-9a-z]+\\}:log:(live|test)", "never"),
  family("how far regions are logged", `${region}:logged`, "never"),
  family("who waits", `${region}:waiting(:sites|:\\d+(\\.\\d+)?)?`, "with what lives"),
  family("overdue parcels", `${region}:overdue`, "with what lives"),
  family("what agents may know", `${site}:allowed`, "with what lives"),
  family("PINs", `${site}:pins`, "with what lives"),
  family("revoked credentials for work", `${site}:revoked`, "by itself"),
  family("compartments by name", `${site}:compartments`, "with what lives"),
  family("request ids", "req:[A-Za-z0-9_-]{18}", "by itself"),
  family("kept answers", "kept-answer:.+", "by itself"),
  family("answers", `${region}:answer:.+`, "by itself"),
  family("plans", `${region}:plan:.+`, "by itself"),
  family("marks of events", `${region}:event-mark:.+`, "by itself"),
  family("leases of the archive", `${region}:archive-lease`, "by itself"),
  family("leases of endpoints", "\\{[^}]+\\}:delivery:lease", "by itself"),
  family("marks of durability", "(\\{[^}]*\\}:)?durability", "by itself"),
  family("archived until", `${region}:archived-until`, "never"),
  family("sites", site, "never"),
  family("versions of what agents may know", `${site}:allowed-version`, "never"),
  family("watermarks of agents", `${site}:watermark:.+`, "never"),
  family("index", `${region}:(site-counter|occupied-cells|profiles|opening-times|(block|tallies):[0-9a-f]{4})`, "never"),
  family("regions", "(regions|country:[A-Z]{2}:regions)", "never"),
  family("operators", "(operator-numbers|operator-counter|operator:par_[0-9a-z]+:refs)", "never"),
  family("participants", "(participants|(participant|participant-keys):par_[0-9a-z]+|key:key_.+|publishable-key:.+)", "never"),
  family("terms", "(terms|terms-numbers|terms-counter|default-terms:.+)", "never"),
  family(
    "webhook endpoints",
    "(webhook-endpoints|webhook-endpoints-of:.+|\\{[^}]+\\}:(endpoint|delivery:(state|due|retries|replays)))",
    "never",
  ),
  family("the network's own", "(archive-id|data-version|gateway-secrets|store-code|test-clock-offset)", "never"),
];

/** What a walk over the keys has found of one family. */
export interface FamilyUse {
  ends: KeyEnd;
  keys: number;
  bytes: number;
}

/** A walk over all keys of a network. */
export interface KeyWalk {
  families: Map<string, FamilyUse>;
  /** Keys of no family. */
  unknown: string[];
  /** Keys that should end by themselves and do not. */
  endless: string[];
}

/** Walks over all keys of a network. Not over a cluster. */
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
      if (known.ends === "by itself" && replies[2 * index + 1] === -1) walk.endless.push(name);
      const use = walk.families.get(known.name) ?? { ends: known.ends, keys: 0, bytes: 0 };
      walk.families.set(known.name, use);
      use.keys++;
      use.bytes += replies[2 * index] ?? 0;
    }
  }
  return walk;
}

/** What a walk found of families that end in one way. */
export function usedBy({ families }: KeyWalk, ends: KeyEnd): { keys: number; bytes: number } {
  const uses = [...families.values()].filter((use) => use.ends === ends);
  return { keys: uses.reduce((sum, use) => sum + use.keys, 0), bytes: uses.reduce((sum, use) => sum + use.bytes, 0) };
}
