import type { TestRedis } from "@petak/testkit";
import type { World } from "../testing/world.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";

/** What a provocation acts on. */
export interface Scene {
  world: World;
  redis: TestRedis;
  protocol: WireProtocol;
}

/** How to provoke a reason, and what its error must carry in addition to the catalogue's fields. */
export interface Provocation {
  /** Returns the response that must have the reason. */
  provoke(scene: Scene): Promise<RawAnswer>;
  /** The complete metadata; may contain matchers. Default: none. */
  metadata?(world: World): Record<string, unknown>;
  /** The fields that the BadRequest names. Default: none. */
  fields?: string[];
}
