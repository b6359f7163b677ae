import { randomUUID } from "node:crypto";
import { Act, CancellationReason, DeviceEventType, ProofKind, Role } from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import { createFrozenClock, type FrozenClock, makeSite, moveServerClock } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import type { Redis } from "ioredis";
import { expect } from "vitest";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const hourMs = 3_600_000;

/** A day in ms. */
export const dayMs = 24 * hourMs;

/** The retention period of these tests, in ms: the shortest permitted. */
export const retentionMs = 25 * hourMs;

/** The ways in which a parcel's life ends. */
export const ends = [
  "collected",
  "collected late",
  "collected in a bundle",
  "collected late, of a bundle",
  "cancelled",
  "cancelled with a token",
  "expired",
  "no-show",
] as const;

/** One of {@link ends}. */
export type LifeEnd = (typeof ends)[number];

/** A network with an archive, whose time passes a day at a time. */
export interface SoakNetwork {
  readonly network: TestNetwork;
  readonly clock: FrozenClock;
  readonly courier: TestParticipant;
  readonly operator: TestParticipant;
  readonly siteId: string;
  /** Starts lives on the current day, the given number of each kind. Returns their ids. */
  live(each: number): Promise<{ end: LifeEnd; reservationId: string }[]>;
  /** Reports an event about a reservation from the site. */
  report(reservationId: string, type: DeviceEventType): Promise<void>;
  /** Advances the clock by a day, and waits until everything due is done. */
  passDay(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts such a network on a server of its own. */
export async function startSoakNetwork(
  address: RedisAddress,
  redis: Redis,
  { prefix, archiveDir }: { prefix: string; archiveDir: string },
): Promise<SoakNetwork> {
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const network = await startTestNetwork({
    redis: { address },
    keyPrefix: prefix,
    now: clock.now,
    sweepIntervalMs: 10,
    archive: { directory: archiveDir, retentionMs, intervalMs: 10, serverTimeMs: async () => clock.now() },
  });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const courier = await network.join("Courier", [Role.COURIER]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1000]] });
  const siteId = await network.putSite(operator, site);
  const agent = await network.reporterAt(operator, siteId);
  /** Bundles parcels, with a credential for all of them and one delegated from it. */
  async function bundle(reservationIds: readonly string[]): Promise<void> {
    const { reservations } = courier.client;
    for (let start = 0; start < reservationIds.length; start += 20) {
      const some = reservationIds.slice(start, start + 20);
      const { bundle: made } = await reservations.putBundle({ requestId: randomUUID(), reservationIds: some });
      const bundleId = made?.bundleId ?? "";
      const { accessToken } = await reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true });
      await reservations.delegateCredential({ requestId: randomUUID(), accessToken });
    }
  }

  /** Overdue parcels, to be collected the next day. */
  let late: string[] = [];

  async function reportAll(reservationIds: readonly string[], type: DeviceEventType): Promise<void> {
    for (let start = 0; start < reservationIds.length; start += 100) {
      const some = reservationIds.slice(start, start + 100);
      const proofKind = ProofKind.ACCESS_TOKEN;
      await agent.report(...some.map((reservationId) => ({ type, reservationId, compartmentId: "A1", proofKind })));
    }
  }

  async function begin(end: LifeEnd): Promise<string> {
    const { reservations } = courier.client;
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, partnerReference: end });
    const reservationId = reservation?.reservationId ?? "";
    if (end === "expired") return reservationId;
    if (end === "cancelled") {
      await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
      return reservationId;
    }
    // A token that is valid for days keeps a cancelled reservation in the agent's allow list.
    const depositWithin = { seconds: BigInt((end === "cancelled with a token" ? 6 * dayMs : 2 * hourMs) / 1000) };
    await reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin });
    if (end === "no-show") return reservationId;
    await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: end === "collected" });
    if (end === "cancelled with a token") {
      await reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    }
    return reservationId;
  }

  /** Resolves when the sweep has nothing left that is due, and every day that is due is archived. */
  async function settled(): Promise<void> {
    const region = siteId.slice("site_".length, "site_".length + 6);
    const tag = `${prefix}:{${region}}`;
    const isDone = async () => {
      const [due, [oldest]] = await Promise.all([
        redis.zcount(`${tag}:deadlines`, "-inf", clock.now()),
        redis.xrange(`${tag}:events`, "-", "+", "COUNT", 1),
      ]);
      const oldestMs = oldest === undefined ? clock.now() : Number.parseInt(oldest[0], 10);
      const leavesMs = Math.ceil((oldestMs + 1) / dayMs) * dayMs + retentionMs;
      return due === 0 && leavesMs > clock.now() && (await redis.exists(`${tag}:archive-lease`)) === 0;
    };
    await expect.poll(isDone, { timeout: 300_000, interval: 20 }).toBe(true);
  }

  return {
    network,
    clock,
    courier,
    operator,
    siteId,
    report: (reservationId, type) => reportAll([reservationId], type),
    async live(each) {
      await reportAll(late, DeviceEventType.PARCEL_COLLECTED);
      const lives: { end: LifeEnd; reservationId: string }[] = [];
      for (const end of ends) {
        for (let done = 0; done < each; done += 20) {
          const some = await Promise.all(Array.from({ length: Math.min(20, each - done) }, () => begin(end)));
          lives.push(...some.map((reservationId) => ({ end, reservationId })));
        }
      }
      const of = (...wanted: LifeEnd[]) => lives.filter(({ end }) => wanted.includes(end)).map(({ reservationId }) => reservationId);
      // Each bundle has parcels that are collected at once and parcels that stay.
      await bundle(of("collected in a bundle", "collected late, of a bundle").sort());
      const inTime = of("collected", "collected in a bundle");
      const lying = of("collected late", "collected late, of a bundle");
      await reportAll([...inTime, ...lying], DeviceEventType.PARCEL_DEPOSITED);
      await reportAll(inTime, DeviceEventType.PARCEL_COLLECTED);
      late = lying;
      return lives;
    },
    async passDay() {
      clock.advance(dayMs);
      await moveServerClock(redis, prefix, { byMs: dayMs, nowMs: clock.now() });
      await settled();
    },
    stop: () => network.stop(),
  };
}
