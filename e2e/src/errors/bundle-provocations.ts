import { randomUUID } from "node:crypto";
import { Act, type Reason, ReservationService } from "@petak/protocol";
import { expect } from "vitest";
import { authorizationOf, bundleAlone } from "../testing/world.ts";
import type { Provocation, Scene } from "./provocation.ts";

const neverIssued = "A".repeat(43);
const { delegateCredential, getBundle, putBundle, revokeCredential } = ReservationService.method;
const oneId = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_`)) as unknown;
const unknownBundleId = "bdl_83652b_0000000000000000";

async function delegate({ world, protocol }: Scene, accessToken: string) {
  const request = { requestId: randomUUID(), accessToken };
  return await world.raw.call(protocol, delegateCredential, request, { authorization: await authorizationOf(world.courier) });
}

/** Provocations of the reasons about bundles and delegated credentials. */
export const bundleProvocations = {
  CREDENTIAL_NOT_ACCEPTED: {
    provoke: async (scene) => {
      const { courier } = scene.world;
      const { reservationId } = await scene.world.holdAndConfirm();
      const { accessToken } = await bundleAlone(courier, reservationId);
      const child = await courier.client.reservations.delegateCredential({ requestId: randomUUID(), accessToken });
      return await delegate(scene, child.accessToken);
    },
    metadata: () => ({ refusal: "DELEGATED", subject: "access_token" }),
  },
  CREDENTIAL_NOT_FOUND: {
    provoke: async ({ world, protocol }) => {
      const { reservationId } = await world.holdAndConfirm();
      const subject = { case: "reservationId", value: reservationId } as const;
      const request = { requestId: randomUUID(), subject, credentialHash: neverIssued };
      return await world.raw.call(protocol, revokeCredential, request, { authorization: await authorizationOf(world.courier) });
    },
    metadata: () => ({ credential_hash: neverIssued, subject: oneId("res") }),
  },
  CREDENTIALS_EXHAUSTED: {
    provoke: async (scene) => {
      const { courier } = scene.world;
      const { reservationId } = await scene.world.holdAndConfirm();
      const { accessToken } = await courier.client.reservations.issueCredential({
        requestId: randomUUID(),
        reservationId,
        act: Act.COLLECT,
      });
      for (let count = 0; count < 10; count += 1) {
        await courier.client.reservations.delegateCredential({ requestId: randomUUID(), accessToken });
      }
      return await delegate(scene, accessToken);
    },
    metadata: () => ({ limit: "10", subject: oneId("res") }),
  },
  BUNDLE_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, getBundle, { bundleId: unknownBundleId }, { authorization: await authorizationOf(world.courier) }),
    metadata: () => ({ bundle_id: unknownBundleId }),
  },
  BUNDLE_MISMATCH: {
    provoke: async ({ world, protocol }) => {
      const { siteId } = await world.addSite();
      const [one, other] = await Promise.all([world.hold(), world.hold({ case: "siteId", value: siteId })]);
      const request = { requestId: randomUUID(), reservationIds: [one.reservationId, other.reservationId] };
      return await world.raw.call(protocol, putBundle, request, { authorization: await authorizationOf(world.courier) });
    },
    metadata: () => ({ reservation_id: oneId("res"), mismatch: "SITE", subject: oneId("res") }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
