import type { Region } from "@petak/protocol";
import type { EventTailOptions } from "../event-tail.ts";

/** A report of a tail. */
export interface Growth {
  region: Region;
  entry: string;
  /** The participants that it concerns, sorted, or `everyone`. */
  concerned: string;
}

/** Collects the reports of a tail. */
export function recordGrowth(): { all: Growth[]; onGrown: EventTailOptions["onGrown"] } {
  const all: Growth[] = [];
  return {
    all,
    onGrown(region, entry, concerned) {
      all.push({ region, entry, concerned: concerned === "everyone" ? concerned : [...concerned].sort().join(" ") });
    },
  };
}
