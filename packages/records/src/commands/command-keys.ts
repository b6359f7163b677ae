import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type CommandKey, CommandKeySchema, type ModeName } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** Which keys may sign commands to an operator's sites, revoked ones included: who reads them leaves those out. */
export interface CommandKeyStore {
  /** The permissions of an operator in one network, in order of their keys' ids. */
  of(mode: ModeName, operatorId: string): Promise<CommandKey[]>;
  /** Adds a permission, in the place of an earlier one of the same key. */
  put(mode: ModeName, operatorId: string, key: CommandKey): Promise<void>;
  /** Removes the permission of a key that is revoked. */
  remove(mode: ModeName, operatorId: string, keyId: string): Promise<void>;
}

/** Stores permissions to sign commands in Redis. */
export function createCommandKeyStore(redis: RedisConnection, keys: Keys): CommandKeyStore {
  return {
    async of(mode, operatorId) {
      const found = Object.values(await redis.hgetallBuffer(keys.commandKeys(mode, operatorId)));
      return found.map((bytes) => fromBinary(CommandKeySchema, bytes)).sort((one, other) => (one.keyId < other.keyId ? -1 : 1));
    },
    async put(mode, operatorId, key) {
      await redis.hset(keys.commandKeys(mode, operatorId), key.keyId, Buffer.from(toBinary(CommandKeySchema, key)));
    },
    async remove(mode, operatorId, keyId) {
      await redis.hdel(keys.commandKeys(mode, operatorId), keyId);
    },
  };
}
