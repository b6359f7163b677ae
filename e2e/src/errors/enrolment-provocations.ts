import { randomUUID } from "node:crypto";
import { AgentService, ParticipantService, type Reason } from "@petak/protocol";
import { expect } from "vitest";
import { newCode, newDevice } from "../testing/enrolling.ts";
import { authorizationOf } from "../testing/world.ts";
import type { Provocation } from "./provocation.ts";

const { enrol } = AgentService.method;

/** Provocations of the reasons about enrolments. */
export const enrolmentProvocations = {
  ENROLMENT_CODE_INVALID: {
    provoke: async ({ world, protocol }) => {
      const { code, enrolmentId } = await newCode(world.operator, world.siteId);
      await world.operator.client.participants.revokeEnrolment({ requestId: randomUUID(), enrolmentId });
      return await world.raw.call(protocol, enrol, (await newDevice(code)).request, {});
    },
  },
  ENROLMENT_CODE_USED: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      const { code } = await newCode(world.operator, siteId);
      const agents = world.operator.client.agents;
      await agents.enrol((await newDevice(code)).request);
      return await world.raw.call(protocol, enrol, (await newDevice(code)).request, {});
    },
    metadata: () => ({
      key_id: expect.stringMatching(/^key_test_[0-9a-z]{16}$/) as unknown,
      subject: expect.stringMatching(/^enr_[0-9a-z]{16}$/) as unknown,
    }),
  },
  AGENT_NOT_IN_CHARGE: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      await world.operator.client.agents.enrol((await newDevice((await newCode(world.operator, siteId)).code)).request);
      return await world.raw.call(protocol, enrol, (await newDevice((await newCode(world.operator, siteId)).code)).request, {});
    },
    metadata: () => ({
      in_charge_key_id: expect.stringMatching(/^key_test_[0-9a-z]{16}$/) as unknown,
      subject: expect.stringMatching(/^site_/) as unknown,
    }),
  },
  AGENT_EPOCH_STALE: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      const signer = await world.network.agentSigner(world.operator, siteId);
      const { agents } = world.network.clientFor(signer);
      const [bootNonce, processNonce] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
      await agents.boot({ siteId, bootNonce, processNonce });
      return await world.raw.call(protocol, AgentService.method.sync, { siteId }, { authorization: await signer.authorization() });
    },
    metadata: () => ({ held_epoch: "0", current_epoch: "1", subject: expect.stringMatching(/^site_/) as unknown }),
  },
  AGENT_EPOCH_LOST: {
    provoke: async ({ world, redis, protocol }) => {
      const { siteId } = await world.addSite();
      const signer = await world.network.agentSigner(world.operator, siteId);
      const { agents } = world.network.clientFor(signer);
      const [number, nonce] = [2, new Uint8Array(16).fill(3)];
      await agents.boot({ siteId, bootNonce: new Uint8Array(16), processNonce: nonce });
      const [lease = ""] = await redis.client.keys(`*:lease:${signer.keyId}`);
      const backup = await redis.client.dumpBuffer(lease);
      const heldEpoch = { number: 1, nonce: new Uint8Array(16) };
      const { epochProof: proof } = await agents.boot({ siteId, heldEpoch, bootNonce: nonce, processNonce: nonce });
      await redis.client.restore(lease, 0, backup ?? "", "REPLACE");
      // The two may have been given in the same millisecond.
      await redis.client.hset(lease, "at", 0);
      const epoch = { number, nonce, proof };
      return await world.raw.call(protocol, AgentService.method.sync, { siteId, epoch }, { authorization: await signer.authorization() });
    },
    metadata: () => ({ held_epoch: "2", current_epoch: "1", subject: expect.stringMatching(/^site_/) as unknown }),
  },
  AGENT_EPOCH_UNKNOWN: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      const { keyId } = await world.network.agentSigner(world.operator, siteId);
      return await world.raw.call(
        protocol,
        ParticipantService.method.takeOverSite,
        { requestId: randomUUID(), siteId, keyId, heldEpoch: 3 },
        { authorization: await authorizationOf(world.operator) },
      );
    },
    metadata: () => ({ held_epoch: "3", current_epoch: "0", subject: expect.stringMatching(/^key_test_/) as unknown }),
  },
  ENROLMENT_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        ParticipantService.method.revokeEnrolment,
        { requestId: randomUUID(), enrolmentId: "enr_0000000000000000" },
        { authorization: await authorizationOf(world.operator) },
      ),
    metadata: () => ({ enrolment_id: "enr_0000000000000000" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
