import type { TestRedis } from "@petak/testkit";
import type { World } from "../testing/world.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";

/** What a provocation works with. */
export interface Scene {
  world: World;
  redis: TestRedis;
  protocol: WireProtocol;
}

/** How a reason is provoked, and what its error must carry beside what the catalogue says. */
export interface Provocation {
  /** Gives the answer that must have the reason. */
  provoke(scene: Scene): Promise<RawAnswer>;
  /** The metadata, whole; may hold matchers. Default: none. */
  metadata?(world: World): Record<string, unknown>;
  /** The fields that the BadRequest names. Default: none. */
  fields?: string[];
}
