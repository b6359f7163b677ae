import { randomUUID } from "node:crypto";
import { generateKeyPair } from "@petak/client";
import { Act, CancellationReason, DeviceEventType, ReservationService, ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { readFailure } from "../wire/failure.ts";
import { wireProtocols } from "../wire/protocols.ts";
import { inSideNetwork } from "./side-network.ts";
import { authorizationOf, origin, parcel } from "./world.ts";

const { confirm, cancel, redirect, issueCredential } = ReservationService.method;

const { publicKey: holderPublicKey } = await generateKeyPair();

/** What may be asked of a reservation, with the state that it would lead to. */
const asks = {
  confirm: { method: confirm, more: {}, wanted: "CONFIRMED" },
  cancel: { method: cancel, more: { reason: CancellationReason.OTHER }, wanted: "CANCELLED" },
  redirect: {
    method: redirect,
    more: { reason: CancellationReason.REROUTED, place: { case: "nearest", value: { origin } } },
    wanted: "CANCELLED",
  },
  deposit: { method: issueCredential, more: { act: Act.DEPOSIT }, wanted: "DEPOSITED" },
  collect: { method: issueCredential, more: { act: Act.COLLECT }, wanted: "COLLECTED" },
  recall: { method: issueCredential, more: { act: Act.RECALL, holderPublicKey }, wanted: "RECALLED" },
} as const;

/** What each state refuses. A deposit, a collection and a recall are refused as the credentials for them. */
const refused = {
  QUEUED: ["confirm", "deposit", "collect", "recall"],
  REJECTED: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  HELD: ["deposit", "collect", "recall"],
  EXPIRED: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  CONFIRMED: ["confirm", "recall"],
  NO_SHOW: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  CANCELLED: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  DEPOSITED: ["confirm", "cancel", "redirect", "deposit"],
  RECALLED: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  COLLECTED: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
  IN_DOUBT: ["confirm", "cancel", "redirect", "deposit", "collect", "recall"],
} satisfies Partial<Record<keyof typeof ReservationState, (keyof typeof asks)[]>>;

const redis = useRedis();

/** Makes reservations in a network whose clock stands still until it is told to move. */
interface Scene {
  clock: FrozenClock;
  hold(): Promise<string>;
  confirmed(): Promise<string>;
  /** Lets the agent report of a reservation. Gives its id. */
  reported(reservationId: string, ...types: DeviceEventType[]): Promise<string>;
  cancelled(): Promise<string>;
  /** Lets one wait at a full site. */
  queued(): Promise<string>;
  stateOf(reservationId: string): Promise<ReservationState | undefined>;
  /** Asks over every protocol and expects ILLEGAL_STATE with both states. */
  expectRefusal(ask: keyof typeof asks, reservationId: string, state: string): Promise<void>;
}

/** Every limit of a reservation is a minute here, and tokens are good for longer. */
const limit = { seconds: 60n };
const limitMs = 60_000;

async function inScene(sweepIntervalMs: number, work: (scene: Scene) => Promise<void>): Promise<void> {
  // In the midst of a second: credentials count in whole ones.
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000 + 500);
  const overrides = { now: clock.now, sweepIntervalMs, collectWithinMs: limitMs };
  await inSideNetwork({ socketPath: redis.options.path }, overrides, async ({ network, raw }) => {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const courier = await network.join("Courier", [Role.COURIER]);
    const { results } = await operator.client.directory.upsertSites({
      requestId: randomUUID(),
      sites: [
        makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 100]] }),
        makeSite({ ...origin, ref: "full", classes: [["M", 400, 200, 500, 20_000, 1]] }),
      ],
    });
    const [siteId = "", fullId = ""] = results.map((result) => result.siteId);
    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    const { reservations } = courier.client;
    let sequence = 0n;

    const blocking = { requestId: randomUUID(), place: { case: "siteId", value: fullId } as const, parcel };
    const { reservation: blocked } = await reservations.reserve({ ...blocking, holdDuration: { seconds: 86_400n } });
    await reservations.confirm({ requestId: randomUUID(), reservationId: blocked?.reservationId ?? "" });

    async function hold(): Promise<string> {
      const place = { case: "siteId", value: siteId } as const;
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, holdDuration: limit });
      return reservation?.reservationId ?? "";
    }

    await work({
      clock,
      hold,
      async confirmed() {
        const reservationId = await hold();
        await reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: limit });
        return reservationId;
      },
      async reported(reservationId, ...types) {
        const occurredAt = { seconds: BigInt(Math.floor(clock.now() / 1000)) };
        const events = types.map((type) => {
          sequence += 1n;
          return { sequence, deviceEventId: randomUUID(), type, occurredAt, reservationId };
        });
        await agent.agents.reportEvents({ siteId, events });
        return reservationId;
      },
      async cancelled() {
        const reservationId = await hold();
        await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
        return reservationId;
      },
      async queued() {
        const place = { case: "siteId", value: fullId } as const;
        const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, overflowPolicy: { wait: limit } });
        return reservation?.reservationId ?? "";
      },
      async stateOf(reservationId) {
        return (await reservations.getReservation({ reservationId })).reservation?.state;
      },
      async expectRefusal(ask, reservationId, state) {
        const { method, more, wanted } = asks[ask];
        const metadata = { reservation_id: reservationId, subject: reservationId, state, wanted };
        for (const protocol of wireProtocols) {
          const message = { requestId: randomUUID(), reservationId, ...more };
          const answer = await raw.call(protocol, method, message as never, { authorization: await authorizationOf(courier) });
          const failure = readFailure(answer);
          expect([ask, protocol, failure?.reason, failure?.metadata]).toEqual([ask, protocol, "ILLEGAL_STATE", metadata]);
          expect(failure?.message).toContain(`${state} and cannot become ${wanted}`);
        }
      },
    });
  });
}

describe("a reservation", () => {
  it("is not moved on where its state does not allow it: the refusal names both states", { timeout: 60_000 }, async () => {
    await inScene(100, async ({ clock, hold, confirmed, reported, cancelled, queued, stateOf, expectRefusal }) => {
      const over = { EXPIRED: await hold(), NO_SHOW: await confirmed(), CANCELLED: await cancelled(), REJECTED: await queued() };
      clock.advance(limitMs);
      const standing = {
        ...over,
        QUEUED: await queued(),
        HELD: await hold(),
        CONFIRMED: await confirmed(),
        DEPOSITED: await reported(await confirmed(), DeviceEventType.PARCEL_DEPOSITED),
        COLLECTED: await reported(await confirmed(), DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED),
        RECALLED: await reported(await confirmed(), DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_RECALLED),
        IN_DOUBT: await reported(await confirmed(), DeviceEventType.DOUBT),
      };
      for (const [name, reservationId] of Object.entries(standing)) {
        const state = name as keyof typeof standing;
        await expect.poll(() => stateOf(reservationId)).toBe(ReservationState[state]);
        for (const ask of refused[state]) await expectRefusal(ask, reservationId, state);
        // A refusal changes nothing.
        expect(await stateOf(reservationId)).toBe(ReservationState[state]);
      }
    });
  });

  it("is not moved on after its limit, also where nobody has come by to say so", async () => {
    await inScene(600_000, async ({ clock, hold, confirmed, queued, reported, expectRefusal }) => {
      const [held, promised, waiting] = [await hold(), await confirmed(), await queued()];
      const deposited = await reported(await confirmed(), DeviceEventType.PARCEL_DEPOSITED);
      // A credential of less than a second is none.
      for (const beyondMs of [-300, 0, 1500]) {
        clock.advance(limitMs + beyondMs);
        if (beyondMs >= 0) {
          await expectRefusal("confirm", held, "EXPIRED");
          await expectRefusal("redirect", held, "EXPIRED");
          await expectRefusal("redirect", waiting, "REJECTED");
          await expectRefusal("redirect", promised, "NO_SHOW");
        }
        await expectRefusal("deposit", promised, "NO_SHOW");
        await expectRefusal("collect", promised, "NO_SHOW");
        await expectRefusal("collect", deposited, "DEPOSITED");
        clock.advance(-limitMs - beyondMs);
      }
    });
  });
});
