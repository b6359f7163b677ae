import { randomUUID } from "node:crypto";
import { AgentService, CustodyService, DirectoryService, Mode, ParticipantService, type Reason } from "@petak/protocol";
import { authorizationOf, origin, parcel } from "../testing/world.ts";
import type { Provocation } from "./provocation.ts";

const { findNearest, upsertSites } = DirectoryService.method;
const { listEvents } = CustodyService.method;
const { boot } = AgentService.method;
const { createPublishableKey } = ParticipantService.method;

/** Provocations of the reasons about what the caller is permitted to do. */
export const permissionProvocations = {
  ROLE_REQUIRED: {
    provoke: async ({ world, protocol }) => {
      const { site } = await world.addSite();
      const authorization = await authorizationOf(world.courier);
      return await world.raw.call(protocol, upsertSites, { requestId: randomUUID(), sites: [site] }, { authorization });
    },
    metadata: () => ({ required: "OPERATOR" }),
  },
  PUBLISHABLE_KEY_NOT_ALLOWED: {
    provoke: ({ world, protocol }) => world.raw.call(protocol, listEvents, {}, { authorization: `Bearer ${world.publishableKey}` }),
  },
  ORIGIN_NOT_ALLOWED: {
    provoke: ({ world, protocol }) =>
      world.raw.call(
        protocol,
        findNearest,
        { origin, parcel },
        { authorization: `Bearer ${world.publishableKey}`, headers: { origin: "https://thief.example" } },
      ),
  },
  AGENT_KEY_REQUIRED: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, boot, { siteId: world.siteId }, { authorization: await authorizationOf(world.operator) }),
  },
  AGENT_KEY_NOT_ALLOWED: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, findNearest, { origin, parcel }, { authorization: await world.agent.authorization() }),
  },
  AGENT_SITE_MISMATCH: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, boot, { siteId: world.rivalSiteId }, { authorization: await world.agent.authorization() }),
    metadata: ({ siteId }) => ({ expected: siteId }),
  },
  MODE_MISMATCH: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        createPublishableKey,
        { requestId: randomUUID(), mode: Mode.LIVE, origins: ["https://shop.example"] },
        { authorization: await authorizationOf(world.courier) },
      ),
  },
} satisfies Partial<Record<Reason, Provocation>>;
