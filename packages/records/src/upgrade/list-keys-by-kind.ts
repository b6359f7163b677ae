import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Role } from "@petak/protocol";
import { createParticipantStore, groupOfKey, groupOfPublishableKey, revokedKeptMs } from "../participants/participant-store.ts";
import type { UpgradeSources } from "./upgrade-sources.ts";

/** Version 3 lists a participant's keys by kind and network, and lets revoked ones end. Before, one set had all ids. */
export async function listKeysByKind({ redis, keys }: UpgradeSources): Promise<void> {
  const store = createParticipantStore(redis, keys);
  for (const participantId of await redis.smembers(keys.participants())) {
    const former = keys.formerKeysOf(participantId);
    const roles = (await store.find(participantId))?.roles ?? [];
    for (const keyId of await redis.smembers(former)) {
      const key = await store.findKey(keyId);
      const publishable = key === undefined ? await store.findPublishableKey(keyId) : undefined;
      const found = key ?? publishable;
      if (found === undefined) continue;
      const group = key === undefined ? groupOfPublishableKey(found as never) : groupOfKey(key);
      const { createdAt, revokedAt } = found;
      const score = revokedAt === undefined ? (createdAt === undefined ? 0 : timestampMs(createdAt)) : -timestampMs(revokedAt);
      await redis.zadd(keys.keysOf(group.kind, group.mode, participantId), "NX", score, keyId);
      if (revokedAt !== undefined && !roles.includes(Role.ADMIN)) {
        await redis.pexpire(key === undefined ? keys.publishableKey(keyId) : keys.key(keyId), revokedKeptMs, "NX");
      }
    }
    await redis.del(former);
  }
}
