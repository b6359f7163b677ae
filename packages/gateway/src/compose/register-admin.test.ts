import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { KeySchema, Mode, newKeyId, newParticipantId, ParticipantSchema, Role } from "@petak/protocol";
import { createParticipantStore, type ParticipantStore } from "@petak/records";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { AdminError, registerAdmin } from "./register-admin.ts";

const redis = useRedis();
const nowMs = Date.UTC(2026, 0, 1);
let participants: ParticipantStore;
let admin: { participantId: string; keyId: string; publicKey: Uint8Array };

beforeEach(() => {
  participants = createParticipantStore(redis.client, createKeys(`${redis.keyPrefix}petak`));
  admin = { participantId: newParticipantId(), keyId: newKeyId("live"), publicKey: new Uint8Array(32).fill(7) };
});

const register = () => registerAdmin(participants, admin, nowMs);

describe("the administrator", () => {
  it("is registered at the first start and reused at the next", async () => {
    await register();
    await registerAdmin(participants, admin, nowMs + 1000);
    expect(await participants.find(admin.participantId)).toMatchObject({ roles: [Role.ADMIN], createdAt: timestampFromMs(nowMs) });
    expect(await participants.findKey(admin.keyId)).toMatchObject({ mode: Mode.LIVE, createdAt: timestampFromMs(nowMs) });
  });

  it("is refused if the participant has another role, and gets no key", async () => {
    await participants.add(create(ParticipantSchema, { participantId: admin.participantId, roles: [Role.COURIER] }));
    await expect(register()).rejects.toThrow(new RegExp(`^${admin.participantId} .* does not have the role ADMIN.* --admin-key-file\\.$`));
    await expect(register()).rejects.toBeInstanceOf(AdminError);
    expect(await participants.findKey(admin.keyId)).toBeUndefined();
  });

  it.each<[string, Omit<MessageInitShape<typeof KeySchema>, "$typeName">, RegExp]>([
    ["was revoked", { revokedAt: timestampFromMs(nowMs) }, /was revoked at 2026-01-01T00:00:00\.000Z: .*--admin-key-file/],
    ["is another participant's", { participantId: "par_0000000000000001" }, /belongs to par_0000000000000001/],
    ["has another public key", { publicKey: new Uint8Array(32).fill(8) }, /is registered with another public key/],
    ["is a test key", { mode: Mode.TEST }, /is a test key/],
    ["is an agent's", { siteId: "site_1" }, /is the key of the agent at site_1/],
  ])("is refused if its key %s", async (_, facts, message) => {
    await participants.addKey(create(KeySchema, { ...admin, mode: Mode.LIVE, ...facts }));
    await expect(register()).rejects.toThrow(message);
  });
});
