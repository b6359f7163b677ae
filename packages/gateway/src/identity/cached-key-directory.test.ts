import { create } from "@bufbuild/protobuf";
import { KeySchema, Mode, newKeyId, newParticipantId, ParticipantSchema, Role } from "@petak/protocol";
import { createParticipantStore } from "@petak/records";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { createCachedKeyDirectory } from "./cached-key-directory.ts";

const redis = useRedis();

it("remembers ids that do not exist apart from keys, so that invented ones drive none out", async () => {
  const store = createParticipantStore(redis.client, createKeys(`${redis.keyPrefix}petak`));
  const [participantId, keyId] = [newParticipantId(), newKeyId("test")];
  await store.add(create(ParticipantSchema, { participantId, roles: [Role.COURIER] }));
  await store.addKey(create(KeySchema, { participantId, keyId, mode: Mode.TEST, publicKey: new Uint8Array(32).fill(7) }));
  let lookUps = 0;
  const counting = {
    ...store,
    findKey(id: string) {
      lookUps += 1;
      return store.findKey(id);
    },
  };
  let nowMs = 1_000_000;
  const directory = createCachedKeyDirectory(counting, () => nowMs, 3);
  expect(await directory.findKey(keyId)).toMatchObject({ keyId });
  const invented = Array.from({ length: 8 }, () => newKeyId("test"));
  for (const id of invented) expect(await directory.findKey(id)).toBeUndefined();
  // The last three are remembered, and the key is.
  lookUps = 0;
  for (const id of invented.slice(-3)) expect(directory.findKey(id)).toBeUndefined();
  expect(directory.findKey(keyId)).toMatchObject({ keyId });
  expect(lookUps).toBe(0);
  expect([directory.isKnown(keyId), directory.isKnown(invented[7] ?? "")]).toEqual([true, false]);
  // It stays known while it is looked up again.
  nowMs += 10_001;
  const again = directory.findKey(keyId);
  expect([again instanceof Promise, directory.isKnown(keyId)]).toEqual([true, true]);
  expect(await again).toMatchObject({ keyId });
  directory.forget(keyId);
  expect(directory.isKnown(keyId)).toBe(false);
});
