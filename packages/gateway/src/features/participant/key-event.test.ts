import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CreatePublishableKeyRequestSchema,
  type Event,
  EventType,
  KeySchema,
  Mode,
  newKeyId,
  newParticipantId,
  ParticipantSchema,
  PetakError,
  RevokeKeyRequestSchema,
  Role,
} from "@petak/protocol";
import { createParticipantEvents, createParticipantStore, createRecords, type ParticipantEvents, participantsRegion } from "@petak/records";
import { createKeys } from "@petak/redis";
import { testStoreCode, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import type { ParticipantCaller } from "../../identity/index.ts";
import { createPublishableKey } from "./create-publishable-key.ts";
import { revokeKey } from "./revoke-key.ts";

const redis = useRedis();
const nowMs = Date.UTC(2026, 10, 24, 12);

/** A participant with one key, in a store of its own. */
async function openWorld() {
  const prefix = `${redis.keyPrefix}${randomUUID()}`;
  const { requestIds, events } = createRecords({ redis: redis.client, storeCode: testStoreCode, prefix });
  const participants = createParticipantStore(redis.client, createKeys(prefix));
  const stored = createParticipantEvents(redis.client, createKeys(prefix), events);
  const world = { isCut: false };
  const participantEvents: ParticipantEvents = {
    append: async (...event) => (world.isCut ? Promise.reject(new Error("cut off")) : await stored.append(...event)),
  };
  const [participantId, keyId] = [newParticipantId(), newKeyId("test")];
  const caller: ParticipantCaller = { kind: "participant", participantId, roles: [Role.COURIER], mode: "test", keyId };
  await participants.add(create(ParticipantSchema, { participantId, roles: [Role.COURIER] }));
  const key = create(KeySchema, { participantId, keyId, mode: Mode.TEST, publicKey: new Uint8Array(32).fill(7) });
  await participants.addKey(key);
  const keyDirectory = { forget: () => undefined };
  // The keys of these tests are no agents'.
  const pinKeys = { mayKnow: () => Promise.reject(new Error("a participant's own key is no agent's")) };
  const pinRotation = { rotate: () => Promise.reject(new Error("a participant's own key ends no PINs")) };
  const dependencies = {
    ...{ storeCode: testStoreCode, participants, requestIds, participantEvents, pinRotation, pinKeys, keyDirectory },
    now: () => nowMs,
  };
  const types = async (): Promise<Event["type"][]> =>
    (await events.readAfter(participantsRegion, "0-0", 10)).map(({ event }) => event.type);
  return Object.assign(world, { participants, dependencies, caller, types });
}

it("a key that revokes itself is good until its owner can hear of that, also if the request is cut off", async () => {
  const world = await openWorld();
  const { dependencies, participants, caller } = world;
  const request = create(RevokeKeyRequestSchema, { requestId: randomUUID(), keyId: caller.keyId });
  world.isCut = true;
  await expect(
    revokeKey(
      dependencies,
      request,
      caller,
      () => {},
      () => {},
    ),
  ).rejects.toThrow("cut off");
  expect((await participants.findKey(caller.keyId))?.revokedAt).toBeUndefined();
  world.isCut = false;
  await revokeKey(
    dependencies,
    request,
    caller,
    () => {},
    () => {},
  );
  expect((await participants.findKey(caller.keyId))?.revokedAt).toBeDefined();
  expect(await world.types()).toEqual([EventType.KEY_REVOKED]);
});

it("no key can be used of which its owner has not heard, also if the request is cut off and not repeated", async () => {
  const world = await openWorld();
  const { dependencies, participants, caller } = world;
  const request = create(CreatePublishableKeyRequestSchema, { requestId: randomUUID(), mode: Mode.TEST, origins: ["*"] });
  world.isCut = true;
  await expect(createPublishableKey(dependencies, request, caller)).rejects.toThrow("cut off");
  expect((await participants.keysOf(caller.participantId, undefined, 10, nowMs)).publishableKeys).toEqual([]);
  world.isCut = false;
  const { publishableKey } = await createPublishableKey(dependencies, request, caller);
  expect((await participants.keysOf(caller.participantId, undefined, 10, nowMs)).publishableKeys).toEqual([publishableKey]);
  expect(await world.types()).toEqual([EventType.KEY_REGISTERED]);
});

it("an owner hears of a new key also if requests for two others were cut off", async () => {
  const world = await openWorld();
  const { dependencies, participants, caller } = world;
  const cutOff = () => Promise.reject(new Error("cut off"));
  for (const keyId of [newKeyId("test"), newKeyId("test")]) {
    // It leaves an entry in the list before that of the participant's own key, and no record.
    const key = create(KeySchema, { participantId: caller.participantId, keyId, mode: Mode.TEST, createdAt: timestampFromMs(nowMs) });
    await expect(participants.addKey(key, cutOff)).rejects.toThrow("cut off");
  }
  const request = create(CreatePublishableKeyRequestSchema, { requestId: randomUUID(), mode: Mode.TEST, origins: ["*"] });
  await createPublishableKey(dependencies, request, caller);
  expect(await world.types()).toEqual([EventType.KEY_REGISTERED]);
});

it("a call that revokes an agent's key and is then refused says that it has begun to change something", async () => {
  const { dependencies, participants, caller } = await openWorld();
  const { participantId } = caller;
  const key = create(KeySchema, {
    participantId,
    keyId: newKeyId("test"),
    mode: Mode.TEST,
    siteId: "site_836520_1",
    publicKey: new Uint8Array(32).fill(8),
  });
  await participants.addKey(key);
  const colliding = {
    ...dependencies,
    pinKeys: { mayKnow: () => Promise.resolve(true) },
    pinRotation: { rotate: () => Promise.reject(new PetakError("CONFLICT", "changed too often")) },
  };
  const request = create(RevokeKeyRequestSchema, { requestId: randomUUID(), keyId: key.keyId });
  const said: string[] = [];
  const revoking = revokeKey(
    colliding,
    request,
    caller,
    () => void said.push("begun"),
    () => void said.push("unchanged"),
  );
  await expect(revoking).rejects.toThrow("changed too often");
  expect([said, (await participants.findKey(key.keyId))?.revokedAt]).toEqual([["begun"], expect.anything()]);
});
