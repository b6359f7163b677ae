import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import {
  AuditOutcome,
  type CreateParticipantRequest,
  CreateParticipantRequestSchema,
  CreateParticipantResponseSchema,
  ParticipantSchema,
  ParticipantService,
  PetakError,
  Role,
} from "@petak/protocol";
import { type AuditLog, createAuditLog, createParticipantStore, type ParticipantStore } from "@petak/records";
import { createKeys, type RedisConnection } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { callerKey } from "../../identity/index.ts";
import { audited, noteChange, noteUnchanged } from "./audited.ts";

const redis = useRedis();
const made = "par_0000000000000002";
const query = { mode: "live", after: undefined, fromMs: undefined, toMs: undefined, count: 100, matches: () => true } as const;
let reading: RedisConnection;
let request: CreateParticipantRequest;

beforeEach(async () => {
  reading = await redis.connect();
  request = create(CreateParticipantRequestSchema, { requestId: randomUUID(), displayName: "New", roles: [Role.COURIER] });
  return () => reading.disconnect();
});

interface GatewayParts {
  connection: RedisConnection;
  participants: ParticipantStore;
}

/** A call at a gateway of its own that makes a participant and then ends as the test says. */
async function createAt(
  end: (gateway: GatewayParts) => void | Promise<void>,
  { isPartial = false, isUnchanged = false } = {},
): Promise<unknown> {
  const connection = await redis.connect();
  const keys = createKeys(redis.keyPrefix);
  const participants = createParticipantStore(connection, keys);
  const values = createContextValues();
  const implementation = {
    async createParticipant() {
      if (isPartial) noteChange({ values })();
      if (isUnchanged) noteUnchanged({ values })();
      const participant = await participants.add(create(ParticipantSchema, { participantId: made, roles: [Role.COURIER] }));
      await end({ connection, participants });
      return create(CreateParticipantResponseSchema, { participant });
    },
  } as Partial<ServiceImpl<typeof ParticipantService>> as ServiceImpl<typeof ParticipantService>;
  const service = audited(ParticipantService, implementation, { auditLog: createAuditLog(connection, keys), participants });
  values.set(callerKey, {
    kind: "participant",
    participantId: "par_0000000000000001",
    roles: [Role.ADMIN],
    mode: "live",
    keyId: "key_live_1",
  });
  try {
    return await service.createParticipant(request, { values } as HandlerContext);
  } finally {
    connection.disconnect();
  }
}

/** What the log says once no call is under way any more. */
async function recorded(): Promise<unknown[]> {
  const log: AuditLog = createAuditLog(reading, createKeys(redis.keyPrefix), { callMs: 0 });
  return (await log.read(query)).entries.map(({ outcome, objectId, requestId }) => ({ outcome, objectId, requestId }));
}

const unknown = () => ({ outcome: AuditOutcome.UNKNOWN, objectId: "", requestId: request.requestId });

it("has an entry of a change after which the gateway lost its store, until a repetition completes it", async () => {
  await expect(createAt(({ connection }) => connection.disconnect())).rejects.toThrow();
  expect(await createParticipantStore(reading, createKeys(redis.keyPrefix)).find(made)).toBeDefined();
  expect(await recorded()).toEqual([unknown()]);
  await createAt(() => {});
  expect(await recorded()).toEqual([{ ...unknown(), outcome: AuditOutcome.DONE, objectId: made }]);
});

it.each([
  ["a failure inside the gateway", () => new Error("out of order")],
  ["replicas that did not confirm", () => new PetakError("DURABILITY_UNCONFIRMED", "no replica confirmed the change")],
])("has an entry after %s, since the change may have been made", async (_name, failure) => {
  await expect(
    createAt(() => {
      throw failure();
    }),
  ).rejects.toThrow();
  expect(await recorded()).toEqual([unknown()]);
});

it("has no entry after a refusal", async () => {
  await expect(
    createAt(() => {
      throw new PetakError("QUOTA_EXHAUSTED", "too many participants");
    }),
  ).rejects.toThrow();
  expect(await recorded()).toEqual([]);
});

it("has an entry after a refusal that came when some of several objects may have been changed", async () => {
  const refuse = () => {
    throw new PetakError("SITE_IN_USE", "the second of two sites has parcels inside");
  };
  await expect(createAt(refuse, { isPartial: true })).rejects.toThrow();
  expect(await recorded()).toEqual([unknown()]);
});

it("has no entry of a call that found nothing to change, unless one that was cut off may have made the change", async () => {
  await createAt(() => {}, { isUnchanged: true });
  expect(await recorded()).toEqual([]);
  request = { ...request, requestId: randomUUID() };
  await expect(createAt(({ connection }) => connection.disconnect())).rejects.toThrow();
  await createAt(() => {}, { isUnchanged: true });
  expect(await recorded()).toEqual([{ ...unknown(), outcome: AuditOutcome.DONE }]);
});

it("has an entry of another change under an old request id, whose binding to its body the store has forgotten", async () => {
  await createAt(() => {});
  request = { ...request, roles: [Role.ADMIN] };
  await createAt(() => {});
  expect(await recorded()).toHaveLength(2);
});
