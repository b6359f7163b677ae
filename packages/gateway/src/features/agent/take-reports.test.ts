import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AgentEpoch,
  AgentEpochSchema,
  EventType,
  KeySchema,
  Mode,
  ParticipantSchema,
  parseSiteId,
  ReportEventsRequestSchema,
  Role,
} from "@petak/protocol";
import {
  createAgentLeases,
  createCommands,
  createParticipantEvents,
  createParticipantStore,
  createSiteAgents,
  participantsRegion,
} from "@petak/records";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { createCachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import type { AgentCaller } from "../../identity/index.ts";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { createLogger } from "../../observability/index.ts";
import { createEpochProofs } from "../../secrets/epoch-proofs.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { openReservationWorld, type ReservationWorld } from "../reservation/testing/reservation-world.ts";
import { type TakeReportsDependencies, takeReports } from "./take-reports.ts";
import { createReportSigner } from "./testing/signed-reports.ts";

const redis = useRedis();
const participantId = "par_0000000000000001";
const signer = await createReportSigner();
const [ownKeyId, otherKeyId] = ["key_test_00000000000000a1", "key_test_00000000000000b2"];

let world: ReservationWorld;
let agent: AgentCaller;

beforeEach(async () => {
  world = await openReservationWorld(redis, testCaller(Role.OPERATOR, participantId));
  agent = { kind: "agent", participantId, siteId: await world.putSite(4), mode: "test", keyId: ownKeyId };
});

const newNonce = () => new Uint8Array(randomBytes(16));

/** A gateway that allows an agent's call, and between that and the script that records its first report something else happens. */
async function open() {
  const { connection, clock } = world;
  const { records, termsBook } = world.over(connection);
  const keys = createKeys(`${redis.keyPrefix}petak`);
  const participants = createParticipantStore(connection, keys);
  await participants.add(create(ParticipantSchema, { participantId, roles: [Role.OPERATOR] }));
  const { siteId } = agent;
  const keyOf = (keyId: string) =>
    create(KeySchema, {
      keyId,
      participantId,
      siteId,
      mode: Mode.TEST,
      publicKey: signer.publicKey,
      createdAt: timestampFromMs(clock.now()),
    });
  for (const keyId of [ownKeyId, otherKeyId]) await participants.addKey(keyOf(keyId));
  const [leases, siteAgents] = [createAgentLeases(connection, keys, records.siteIds), createSiteAgents(connection, keys, records.siteIds)];
  const boot = async (held: AgentEpoch | undefined): Promise<AgentEpoch> => {
    const bootNonce = newNonce();
    const outcome = await leases.take({ siteId, keyId: ownKeyId, held, bootNonce, processNonce: newNonce(), nowMs: clock.now() });
    return create(AgentEpochSchema, { number: outcome.tag === "given" ? outcome.epoch : 0, nonce: bootNonce });
  };
  let meanwhile: (() => Promise<unknown>) | undefined;
  const keyDirectory = createCachedKeyDirectory(participants, clock.now);
  const dependencies: TakeReportsDependencies = {
    ...{ ...records, leases, epochProofs: createEpochProofs(world.secrets), siteAgents, keyDirectory, termsBook, now: clock.now },
    changes: createReservationChanges(records, world.receipts),
    commands: createCommands(connection, keys),
    participantEvents: createParticipantEvents(connection, keys, records.events),
    logger: createLogger({ level: "silent", destination: { write: () => undefined } }),
    keys: {
      findKey: async (keyId) => {
        const [happens] = [meanwhile];
        meanwhile = undefined;
        await happens?.();
        return await keyDirectory.findKey(keyId);
      },
    },
  };
  return {
    participants,
    keyOf,
    boot,
    siteAgents,
    keptApart: async () => (await records.reportsApart.at(siteId)).map(({ reason, event }) => `${reason} ${event?.sequence}`).sort(),
    alarms: async () => {
      const events = await records.events.readAfter(participantsRegion, "0-0", 10_000);
      return events.flatMap(({ event }) => (event.type === EventType.SECOND_AGENT_REFUSED ? [event.secondAgent?.reportsKeptApart] : []));
    },
    recorded: async () => {
      const events = await records.events.readAfter(parseSiteId(siteId)?.region ?? "", "0-0", 10_000);
      return events.flatMap(({ event: { proof } }) => (proof?.agentKeyId === ownKeyId ? [Number(proof.deviceSequence)] : []));
    },
    watermark: async () => (await records.reservations.watermark(siteId, ownKeyId)).sequence,
    async report(epoch: AgentEpoch | undefined, during?: () => Promise<unknown>) {
      const events = await signer.chain(agent, 2, clock.now());
      meanwhile = during;
      return await takeReports(dependencies, create(ReportEventsRequestSchema, { siteId, events, ...(epoch && { epoch }) }), agent);
    },
  };
}

it("reports of a call that was allowed before another start of the key took over are kept apart, and none is recorded", async () => {
  const gateway = await open();
  const epoch = await gateway.boot(undefined);
  const answer = await gateway.report(epoch, () => gateway.boot(epoch));
  expect(answer).toMatchObject({ acknowledgedSequence: 0n, keptApartSequence: 2n });
  expect(await gateway.keptApart()).toEqual(["AGENT_EPOCH_STALE 1", "AGENT_EPOCH_STALE 2"]);
  expect([await gateway.recorded(), await gateway.watermark()]).toEqual([[], 0]);
  expect(new Set(await gateway.alarms())).toEqual(new Set([false, true]));
});

it("reports of a call that was allowed before another device was put in charge are kept apart, and none is recorded", async () => {
  const gateway = await open();
  const answer = await gateway.report(undefined, () => gateway.siteAgents.put(agent.siteId, otherKeyId, ""));
  expect(answer).toMatchObject({ keptApartSequence: 2n });
  expect(await gateway.keptApart()).toEqual(["AGENT_NOT_IN_CHARGE 1", "AGENT_NOT_IN_CHARGE 2"]);
  expect(await gateway.recorded()).toEqual([]);
});

it("reports of a call that was allowed before its key was revoked are kept apart, whatever the gateway has cached of the key", async () => {
  const gateway = await open();
  const revoke = () => gateway.participants.revokeKey(gateway.keyOf(ownKeyId), timestampFromMs(world.clock.now()));
  expect(await gateway.report(undefined, revoke)).toMatchObject({ keptApartSequence: 2n });
  expect(await gateway.keptApart()).toEqual(["KEY_REVOKED 1", "KEY_REVOKED 2"]);
  expect(await gateway.recorded()).toEqual([]);
});

it("reports of the agent in charge are recorded though something has changed meanwhile that leaves it in charge", async () => {
  const gateway = await open();
  expect(await gateway.report(undefined, () => gateway.siteAgents.put(agent.siteId, ownKeyId, ""))).toMatchObject({
    acknowledgedSequence: 2n,
  });
  expect([await gateway.recorded(), await gateway.keptApart()]).toEqual([[1, 2], []]);
});
