import { randomUUID } from "node:crypto";
import { generateKeyPair } from "@petak/client/node";
import { Act, CancellationReason, type DeviceEventType, Mode, type ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, type TestRedis } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, origin, parcel, shopOrigin } from "../testing/world.ts";
import type { RawCaller } from "../wire/call.ts";
import type { AskedAbout, Asker } from "./state-asks.ts";

/** What is made in a scene, and asked about. */
export type Subject = Omit<AskedAbout, "nowMs" | "holderPublicKey">;

/** Makes reservations in a network whose clock stands still until it is told to move. */
export interface StatesScene {
  clock: FrozenClock;
  raw: RawCaller;
  holderPublicKey: Uint8Array<ArrayBuffer>;
  participants: Record<Exclude<Asker, "agent" | "page">, TestParticipant>;
  /** The Authorization header of whoever asks, by the clock as it stands. */
  authorize(asker: Asker): Promise<string>;
  /** Holds a place, in a bundle of its own where that is wanted. */
  hold(inBundle?: boolean): Promise<Subject>;
  /** Holds, confirms and lets a credential to collect be issued. */
  confirmed(inBundle?: boolean): Promise<Subject>;
  /** Lets the agent report of one that is confirmed. */
  reported(inBundle: boolean, ...types: DeviceEventType[]): Promise<Subject>;
  /** Gives up one that was confirmed. */
  cancelled(inBundle?: boolean): Promise<Subject>;
  /** Lets one wait at a full site. */
  queued(): Promise<Subject>;
  stateOf(subject: Subject): Promise<ReservationState | undefined>;
}

/** Every limit of a reservation is a minute here, and tokens are good for longer. */
const limit = { seconds: 60n };

/** The same in ms. */
export const limitMs = 60_000;

/** Makes a scene over a server of its own keys, and ends it. */
export async function inStatesScene(redis: TestRedis, sweepIntervalMs: number, work: (scene: StatesScene) => Promise<void>): Promise<void> {
  // In the midst of a second: credentials count in whole ones.
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
      authorize(asker) {
        if (asker === "page") return Promise.resolve(`Bearer ${publishableKey?.publishableKey ?? ""}`);
        return asker === "agent" ? agentSigner.authorization() : authorizationOf(participants[asker]);
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
