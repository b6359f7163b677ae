import { randomUUID } from "node:crypto";
import { AgentService, type DeviceEvent, DeviceEventType, type Reason } from "@petak/protocol";
import { expect } from "vitest";
import { signedReport } from "../testing/good-requests.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { Provocation, Scene } from "./provocation.ts";

const { reportEvents } = AgentService.method;

/** A new agent at a new site. Returns what reports by it. */
async function newReporter({ world, protocol }: Scene) {
  const { siteId } = await world.addSite();
  const agent = await world.network.agentSigner(world.operator, siteId);
  return async (
    said: { sequence: bigint } & Partial<Pick<DeviceEvent, "type" | "refusal" | "commandId" | "previousHash">>,
    changes: object = {},
  ): Promise<RawAnswer> => {
    const occurredAt = { seconds: BigInt(Math.floor(Date.now() / 1000)) };
    const report = await signedReport(agent, siteId, {
      deviceEventId: randomUUID(),
      type: DeviceEventType.DOOR_CLOSED,
      occurredAt,
      ...said,
    });
    const events = [{ ...report, ...changes }];
    return await world.raw.call(protocol, reportEvents, { siteId, events }, { authorization: await agent.authorization() });
  };
}

/** Provocations of the reasons about an agent's reports. */
export const reportProvocations = {
  SEQUENCE_GAP: {
    provoke: async (scene) => await (await newReporter(scene))({ sequence: 5n }),
    metadata: () => ({ expected: "1", received: "5", subject: "5" }),
  },
  SEQUENCE_FORK: {
    provoke: async (scene) => {
      const report = await newReporter(scene);
      await report({ sequence: 1n });
      return await report({ sequence: 1n });
    },
    metadata: () => ({ acknowledged: "1", received: "1", subject: "1" }),
  },
  REPORT_UNCHAINED: {
    provoke: async (scene) => {
      const report = await newReporter(scene);
      await report({ sequence: 1n, previousHash: new Uint8Array(32) });
      return await report({ sequence: 2n });
    },
    metadata: () => ({ subject: "2" }),
  },
  REPORT_SIGNATURE_INVALID: {
    provoke: async (scene) => await (await newReporter(scene))({ sequence: 1n }, { type: DeviceEventType.DOOR_OPENED }),
    metadata: () => ({ sequence: "1", key_id: expect.stringMatching(/^key_test_/) as unknown, subject: "1" }),
  },
  REPORT_MEMBER_MISPLACED: {
    provoke: async (scene) =>
      await (await newReporter(scene))({ sequence: 1n, type: DeviceEventType.PARCEL_COLLECTED, refusal: "SPENT", commandId: "cmd_1" }),
    metadata: () => ({ sequence: "1", fields: "refusal,command_id", subject: "1" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
