import type { Region } from "@petak/protocol";
import type { EventTailOptions } from "../event-tail.ts";

/** What a tail has told. */
export interface Growth {
  region: Region;
  entry: string;
  /** Participants whom it concerns, in the order of their names; `everyone` where nobody knows. */
  concerned: string;
}

/** Keeps what a tail tells. */
export function recordGrowth(): { all: Growth[]; onGrown: EventTailOptions["onGrown"] } {
  const all: Growth[] = [];
  return {
    all,
    onGrown(region, entry, concerned) {
      all.push({ region, entry, concerned: concerned === "everyone" ? concerned : [...concerned].sort().join(" ") });
    },
  };
}
