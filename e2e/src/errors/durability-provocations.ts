import { randomUUID } from "node:crypto";
import type { DurabilityOptions } from "@petak/gateway";
import { ParticipantService, type Reason, Role } from "@petak/protocol";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { expect } from "vitest";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import type { Provocation } from "./provocation.ts";

const replicated: DurabilityOptions = {
  level: "replicated",
  check: "refuse",
  replication: { replicas: 1, on: "memory", withinMs: 100 },
};

const { createParticipant } = ParticipantService.method;
const newcomer = () => ({ requestId: randomUUID(), displayName: "Newcomer", roles: [Role.COURIER] });

/** Provocations of the reasons about changes that are not durable yet, or for which there is no room. */
export const durabilityProvocations = {
  DURABILITY_UNCONFIRMED: {
    provoke: async ({ protocol }) => {
      await using master = await startTestServer({ hasReplicas: true });
      await using replica = await startTestReplica(master);
      return await inSideNetwork(master, { durability: replicated }, async ({ network, raw }) => {
        const options = { authorization: await authorizationOf(network.admin) };
        const request = newcomer();
        replica.freeze();
        const answer = await raw.call(protocol, createParticipant, request, options);
        replica.thaw();
        // The same request succeeds when the replica is back.
        await expect.poll(async () => readFailure(await raw.call(protocol, createParticipant, request, options))?.reason).toBe(undefined);
        return answer;
      });
    },
    metadata: () => ({ replicas: "1" }),
  },
  STORE_FULL: {
    provoke: ({ redis, protocol }) =>
      // Any store is fuller than this.
      inSideNetwork(redis, { storeFill: { maxBytes: 1000 } }, async ({ network, raw }) =>
        raw.call(protocol, createParticipant, newcomer(), { authorization: await authorizationOf(network.admin) }),
      ),
    metadata: () => ({ fill_percent: expect.stringMatching(/^\d+$/), limit_percent: "85" }),
  },
  REPLICAS_UNAVAILABLE: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, { durability: replicated }, async ({ network, raw }) =>
        raw.call(protocol, createParticipant, newcomer(), { authorization: await authorizationOf(network.admin) }),
      ),
    metadata: () => ({ replicas: "1" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
