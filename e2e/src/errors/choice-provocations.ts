import { randomUUID } from "node:crypto";
import { choiceLifetimeMs } from "@petak/credential";
import { type Reason, ReservationService, Role } from "@petak/protocol";
import { createFrozenClock, makeSite } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import { expect } from "vitest";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, parcel } from "../testing/world.ts";
import type { RawCaller } from "../wire/call.ts";
import type { WireProtocol } from "../wire/protocols.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { Provocation } from "./provocation.ts";

async function choose({ client }: TestParticipant, siteId: string): Promise<string> {
  const { fits } = await client.directory.checkFit({ siteIds: [siteId], parcel });
  return fits[0]?.choice ?? "";
}

async function reserveBy(
  raw: RawCaller,
  protocol: WireProtocol,
  courier: TestParticipant,
  siteId: string,
  choice: string,
): Promise<RawAnswer> {
  const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId } as const, parcel, choice };
  return await raw.call(protocol, ReservationService.method.reserve, request, { authorization: await authorizationOf(courier) });
}

/** Provocations of the reasons about signed choices. */
export const choiceProvocations = {
  CHOICE_INVALID: {
    provoke: async ({ world: { raw, courier, siteId }, protocol }) => {
      const choice = await choose(courier, siteId);
      return await reserveBy(raw, protocol, courier, siteId, choice.replace(/\.[^.]*\./, `.${Buffer.from("{}").toString("base64url")}.`));
    },
    metadata: () => ({ fault: "signature", subject: "choice" }),
  },
  CHOICE_EXPIRED: {
    provoke: ({ redis, protocol }) => {
      const clock = createFrozenClock(Date.now());
      return inSideNetwork(redis, { now: clock.now }, async ({ network, raw }) => {
        const operator = await network.join("Operator", [Role.OPERATOR]);
        const courier = await network.join("Courier", [Role.COURIER]);
        const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8 }));
        const choice = await choose(courier, siteId);
        clock.advance(choiceLifetimeMs);
        return await reserveBy(raw, protocol, courier, siteId, choice);
      });
    },
    metadata: () => ({ expired_at: expect.stringMatching(/^20.*Z$/) as unknown, subject: "choice" }),
  },
  CHOICE_MISMATCH: {
    provoke: async ({ world: { raw, courier, stranger, siteId }, protocol }) =>
      await reserveBy(raw, protocol, courier, siteId, await choose(stranger, siteId)),
    metadata: () => ({ mismatch: "participant", subject: "choice" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
