import { randomUUID } from "node:crypto";
import { generateKeyPair } from "@petak/client/node";
import { Act, CancellationReason, type DeviceEventType, Mode, type ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, type TestRedis } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, origin, parcel, shopOrigin } from "../testing/world.ts";
import type { RawCaller } from "../wire/call.ts";
import type { AttemptSubject, Requester } from "./state-attempts.ts";

/** A reservation made in a scene, as the subject of attempts. */
export type Subject = Omit<AttemptSubject, "nowMs" | "holderPublicKey">;

/** Makes reservations in a network whose clock is frozen until it is advanced. */
export interface StatesScene {
  clock: FrozenClock;
  raw: RawCaller;
  holderPublicKey: Uint8Array<ArrayBuffer>;
  participants: Record<Exclude<Requester, "agent" | "page">, TestParticipant>;
  /** The requester's Authorization header at the clock's time. */
  authorize(requester: Requester): Promise<string>;
  /** Holds a place, on request in a bundle of its own. */
  hold(inBundle?: boolean): Promise<Subject>;
  /** Holds, confirms and issues a credential to collect. */
  confirmed(inBundle?: boolean): Promise<Subject>;
  /** Makes a confirmed reservation of which the agent then reports. */
  reported(inBundle: boolean, ...types: DeviceEventType[]): Promise<Subject>;
  /** Makes a confirmed reservation and cancels it. */
  cancelled(inBundle?: boolean): Promise<Subject>;
  /** Makes a reservation that waits at a full site. */
  queued(): Promise<Subject>;
  stateOf(subject: Subject): Promise<ReservationState | undefined>;
}

/** Every limit of a reservation is one minute here; tokens are valid for longer. */
const limit = { seconds: 60n };

/** The same limit in ms. */
export const limitMs = 60_000;

/** Runs work in a scene over a server with its own keys, and stops it afterwards. */
export async function inStatesScene(redis: TestRedis, sweepIntervalMs: number, work: (scene: StatesScene) => Promise<void>): Promise<void> {
  // In the middle of a second, because credentials count in whole seconds.
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000 + 500);
  const overrides = { now: clock.now, sweepIntervalMs, collectWithinMs: limitMs };
  await inSideNetwork(redis, overrides, async ({ network, raw }) => {
    const [operator, courier, stranger, rival] = await Promise.all([
      network.join("Operator", [Role.OPERATOR]),
      network.join("Courier", [Role.COURIER]),
      network.join("Stranger", [Role.COURIER]),
      network.join("Rival", [Role.OPERATOR]),
    ]);
    const participants = { operator, courier, stranger, rival, admin: network.admin };
    const [siteId = "", fullId = ""] = await network.putSites(
      operator,
      makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 100]] }),
      makeSite({ ...origin, ref: "full", classes: [["M", 400, 200, 500, 20_000, 1]] }),
    );
    const agentSigner = await network.agentSigner(operator, siteId);
    const agent = await network.reporterAt(operator, siteId);
    const { publishableKey } = await courier.client.participants.createPublishableKey({
      requestId: randomUUID(),
      mode: Mode.TEST,
      origins: [shopOrigin],
      requestsPerSecond: 1000,
    });
    const { publicKey: holderPublicKey } = await generateKeyPair();
    const { reservations } = courier.client;
    const nobody = { siteId, accessToken: "", bundleId: "" };

    const blocking = { requestId: randomUUID(), place: { case: "siteId", value: fullId } as const, parcel };
    const { reservation: blocked } = await reservations.reserve({ ...blocking, holdDuration: { seconds: 86_400n } });
    await reservations.confirm({ requestId: randomUUID(), reservationId: blocked?.reservationId ?? "" });

    async function hold(inBundle = false): Promise<Subject> {
      const place = { case: "siteId", value: siteId } as const;
      const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, holdDuration: limit });
      const reservationId = reservation?.reservationId ?? "";
      if (!inBundle) return { ...nobody, reservationId };
      const { bundle } = await reservations.putBundle({ requestId: randomUUID(), reservationIds: [reservationId] });
      return { ...nobody, reservationId, bundleId: bundle?.bundleId ?? "" };
    }

    async function confirmed(inBundle = false): Promise<Subject> {
      const { reservationId, bundleId } = await hold(inBundle);
      await reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: limit });
      const { accessToken } = inBundle
        ? await reservations.issueBundleCredential({ requestId: randomUUID(), bundleId })
        : await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT });
      return { ...nobody, reservationId, bundleId, accessToken };
    }

    await work({
      clock,
      raw,
      holderPublicKey,
      participants,
      authorize(requester) {
        if (requester === "page") return Promise.resolve(`Bearer ${publishableKey?.publishableKey ?? ""}`);
        return requester === "agent" ? agentSigner.authorization() : authorizationOf(participants[requester]);
      },
      hold,
      confirmed,
      async reported(inBundle, ...types) {
        const subject = await confirmed(inBundle);
        const occurredAt = { seconds: BigInt(Math.floor(clock.now() / 1000)) };
        const { reservationId } = subject;
        await agent.report(...types.map((type) => ({ type, occurredAt, reservationId })));
        return subject;
      },
      async cancelled(inBundle) {
        const subject = await confirmed(inBundle);
        const { reservationId } = subject;
        await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
        return subject;
      },
      async queued() {
        const place = { case: "siteId", value: fullId } as const;
        const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, overflowPolicy: { wait: limit } });
        return { ...nobody, reservationId: reservation?.reservationId ?? "" };
      },
      async stateOf({ reservationId }) {
        return (await reservations.getReservation({ reservationId })).reservation?.state;
      },
    });
  });
}
