import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ModeName, type OperatorLinks, OperatorLinksSchema } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** The links that operators show, apart from their participants, so that neither overwrites the other. */
export interface OperatorLinksStore {
  /** An operator's links in one network. Undefined: it has set none. */
  find(operatorId: string, mode: ModeName): Promise<OperatorLinks | undefined>;
  /** Replaces them. Returns whether they were others before. */
  set(operatorId: string, mode: ModeName, links: OperatorLinks): Promise<boolean>;
}

/** Stores links in Redis. */
export function createOperatorLinksStore(redis: RedisConnection, keys: Keys): OperatorLinksStore {
  return {
    async find(operatorId, mode) {
      const bytes = await redis.hgetBuffer(keys.operatorLinks(mode), operatorId);
      return bytes === null ? undefined : fromBinary(OperatorLinksSchema, bytes);
    },
    async set(operatorId, mode, links) {
      const bytes = Buffer.from(toBinary(OperatorLinksSchema, links, { writeUnknownFields: false }));
      const before = await redis.hgetBuffer(keys.operatorLinks(mode), operatorId);
      if (before?.equals(bytes) === true) return false;
      await redis.hset(keys.operatorLinks(mode), operatorId, bytes);
      return true;
    },
  };
}
