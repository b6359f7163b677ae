import { create } from "@bufbuild/protobuf";
import { type DeviceEvent, EventType, PetakError, parseSiteId, ReportEventsRequestSchema, Role } from "@petak/protocol";
import { createCommands, createParticipantEvents, participantsRegion } from "@petak/records";
import { createKeys, type RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { createLogger } from "../../observability/index.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { openReservationWorld, type ReservationWorld } from "../reservation/testing/reservation-world.ts";
import type { AllowedAgent } from "./allowed-agent.ts";
import { type ReportEventsDependencies, reportEvents } from "./report-events.ts";
import { createReportSigner } from "./testing/signed-reports.ts";

const redis = useRedis();
const participantId = "par_0000000000000001";
const signer = await createReportSigner();

const noFence = { nonce: new Uint8Array(), inChargeKeyId: "" };

let world: ReservationWorld;
let siteId: string;
let keyCount = 0;

beforeEach(async () => {
  world = await openReservationWorld(redis, testCaller(Role.OPERATOR, participantId));
  siteId = await world.putSite(4);
});

function newAgent(): AllowedAgent {
  keyCount += 1;
  return { ...testCaller(Role.OPERATOR, participantId), keyId: `key_test_${keyCount}`, siteId, fence: noFence } as unknown as AllowedAgent;
}

/** What an agent's reports are recorded with, over a connection. */
function gatewayOver(connection: RedisConnection) {
  const { records, termsBook } = world.over(connection);
  const keys = createKeys(`${redis.keyPrefix}petak`);
  const dependencies: ReportEventsDependencies = {
    ...records,
    changes: createReservationChanges(records, world.receipts),
    termsBook,
    commands: createCommands(connection, keys),
    keys: { findKey: async (keyId) => ({ keyId, publicKey: signer.publicKey }) as never },
    participantEvents: createParticipantEvents(connection, keys, records.events),
    logger: createLogger({ level: "silent", destination: { write: () => undefined } }),
    now: world.clock.now,
  };
  return {
    records,
    report: (events: DeviceEvent[], caller: AllowedAgent, deletedSequence = 0n) =>
      reportEvents(dependencies, create(ReportEventsRequestSchema, { siteId, events, deletedSequence }), caller, () =>
        Promise.reject(new Error("another agent is in charge")),
      ),
  };
}

const chain = (agent: AllowedAgent, count: number) => signer.chain(agent, count, world.clock.now());

const reasonOf = async (call: Promise<unknown>) =>
  await call.then(
    () => undefined,
    (error: unknown) => (error instanceof PetakError ? error.reason : Promise.reject(error)),
  );

/** Whether a call of a gateway dies. A refusal is no death. */
const diesOrRefuses = async (call: Promise<unknown>) => await dies(reasonOf(call));

/** The numbers of the reports of a key that became events of the site. */
async function recorded({ keyId }: AllowedAgent): Promise<number[]> {
  const events = await world.steady.records.events.readAfter(parseSiteId(siteId)?.region ?? "", "0-0", 10_000);
  return events.flatMap(({ event: { proof } }) => (proof?.agentKeyId === keyId ? [Number(proof.deviceSequence)] : []));
}

async function toldOf({ keyId }: AllowedAgent, type: EventType) {
  const events = await world.steady.records.events.readAfter(participantsRegion, "0-0", 10_000);
  return events.flatMap(({ event }) => {
    const keyIds = [event.reportFork?.keyId, event.missingReports?.keyId];
    return event.type === type && keyIds.includes(keyId) ? [event] : [];
  });
}

describe("wherever the gateway dies", () => {
  it("each report is recorded once and in order when the agent sends it again", async () => {
    const steady = gatewayOver(world.connection);
    await atEveryDeath({ connection: world.connection, commandsMin: 6 }, async (dying) => {
      const agent = newAgent();
      const reports = await chain(agent, 3);
      const hasDied = await diesOrRefuses(gatewayOver(dying).report(reports, agent));
      expect(await steady.report(reports, agent)).toMatchObject({ acknowledgedSequence: 3n });
      expect(await recorded(agent)).toEqual([1, 2, 3]);
      return hasDied;
    });
  });

  it("a fork is told once for each report that is kept apart, and nothing more is recorded", async () => {
    const steady = gatewayOver(world.connection);
    await atEveryDeath({ connection: world.connection, commandsMin: 6 }, async (dying) => {
      const agent = newAgent();
      await steady.report(await chain(agent, 2), agent);
      const reports = await chain(agent, 3);
      const hasDied = await diesOrRefuses(gatewayOver(dying).report(reports, agent));
      expect(await reasonOf(steady.report(reports, agent))).toBe("SEQUENCE_FORK");
      const told = await toldOf(agent, EventType.REPORTS_FORKED);
      expect(told.map(({ reportFork }) => Number(reportFork?.sequence))).toEqual([1, 2, 3]);
      expect(await recorded(agent)).toEqual([1, 2]);
      return hasDied;
    });
  });

  it("reports that a restored store lacks and the agent has deleted are told of, and the agent goes on after them", async () => {
    const steady = gatewayOver(world.connection);
    await atEveryDeath({ connection: world.connection, commandsMin: 6 }, async (dying) => {
      const agent = newAgent();
      const reports = await chain(agent, 12);
      await steady.report(reports.slice(0, 2), agent);
      const kept = reports.slice(10);
      expect(await reasonOf(steady.report(kept, agent))).toBe("SEQUENCE_GAP");
      const hasDied = await diesOrRefuses(gatewayOver(dying).report(kept, agent, 10n));
      expect(await steady.report(kept, agent, 10n)).toMatchObject({ acknowledgedSequence: 12n });
      const told = await toldOf(agent, EventType.REPORTS_MISSING);
      expect(told.map(({ missingReports }) => missingReports)).toMatchObject([
        { firstSequence: 3n, lastSequence: 10n, isDevice: false, keyId: agent.keyId },
      ]);
      expect(await recorded(agent)).toEqual([1, 2, 11, 12]);
      return hasDied;
    });
  });
});
