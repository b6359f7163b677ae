import { randomUUID } from "node:crypto";
import { newHolder, type SimulatedHolder, type SimulatedTerminal } from "@petak/agent/simulation";
import { Act, CancellationReason, ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const compartments = ["A1", "A2", "A3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
const depositWithinMs = 4 * 3_600_000;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteIds: string[];
let holder: SimulatedHolder;
let terminal: SimulatedTerminal;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const overrides = { now: clock.now, depositDefaultMs: depositWithinMs, sweepIntervalMs: 20 };
  network = await startTestNetwork({ redis, ...overrides });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  holder = await newHolder();
  const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 3]];
  const sites = ["one", "two"].map((ref) => makeSite({ latitude: 1.3, longitude: 103.8, ref, classes }, { compartments }));
  siteIds = await network.putSites(operator, ...sites);
  terminal = await openTerminal();
  return () => network.stop();
});

const openTerminal = () => network.openTerminal(operator, siteIds[0] ?? "", { cabinet: compartments, graceMs: 0 });

const issue = async (reservationId: string, act: Act, holderPublicKey?: Uint8Array<ArrayBuffer>) =>
  (
    await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId,
      act,
      ...(holderPublicKey && { holderPublicKey }),
    })
  ).accessToken;

async function deposit(reservationId: string): Promise<void> {
  expect(await terminal.visit({ token: await issue(reservationId, Act.DEPOSIT) })).toMatchObject({ opened: true, compartmentId: "A1" });
}

async function takeOut(): Promise<void> {
  terminal.cabinet.takeOut("A1");
  terminal.cabinet.closeDoor("A1");
  await terminal.agent.flushed();
}

/** Resolves when the sweep has nothing left that is due. */
async function swept(): Promise<void> {
  const region = siteIds[0]?.slice("site_".length, "site_".length + 6);
  const key = `${redis.keyPrefix}petak:{${region}}:deadlines`;
  await expect.poll(() => redis.client.zcount(key, "-inf", clock.now())).toBe(0);
}

/** The ways in which a reservation can end while a second deposit token is in circulation. */
const ends: Record<string, { state: ReservationState; end: (reservationId: string) => Promise<unknown> }> = {
  cancelled: {
    state: ReservationState.CANCELLED,
    end: (reservationId) =>
      courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER }),
  },
  redirected: {
    state: ReservationState.CANCELLED,
    end: (reservationId) =>
      courier.client.reservations.redirect({
        requestId: randomUUID(),
        reservationId,
        reason: CancellationReason.REROUTED,
        place: { case: "siteId", value: siteIds[1] ?? "" },
      }),
  },
  collected: {
    state: ReservationState.COLLECTED,
    async end(reservationId) {
      await deposit(reservationId);
      expect(await terminal.agent.present({ token: await issue(reservationId, Act.COLLECT) })).toMatchObject({ opened: true });
      await takeOut();
    },
  },
  recalled: {
    state: ReservationState.RECALLED,
    async end(reservationId) {
      await deposit(reservationId);
      const token = await issue(reservationId, Act.RECALL, holder.publicKey);
      expect(await terminal.agent.present(await holder.show(terminal, token))).toMatchObject({ opened: true });
      await takeOut();
    },
  },
};

describe.each(Object.entries(ends))("a second deposit token for a reservation that was %s", (_how, { state, end }) => {
  it.each([
    ["the terminal", false],
    ["a new terminal that saw nothing of it", true],
  ])("opens nothing at %s, up to the last instant at which a slow clock could still accept it", async (_where, isNew) => {
    const place = { case: "siteId", value: siteIds[0] ?? "" } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const spare = await issue(reservationId, Act.DEPOSIT);
    await end(reservationId);
    if (isNew) {
      await terminal.stop();
      terminal = await openTerminal();
    }
    const refusals = async () => {
      const { events } = await courier.client.custody.getCustodyChain({ reservationId });
      return events.map(({ proof }) => proof?.refusal ?? "").filter((refusal) => refusal !== "");
    };
    const expected: string[] = [];
    // The token is refused as expired five minutes after its end.
    for (const afterMs of [1000, depositWithinMs - 1000, 1000, 299_000 - 1000]) {
      clock.advance(afterMs);
      await swept();
      await terminal.agent.syncNow();
      expect(await terminal.agent.present({ token: spare })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
      await terminal.agent.flushed();
      expected.push("RESERVATION_STATE");
    }
    expect(await refusals()).toEqual(expected);
    clock.advance(1000);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: spare })).toMatchObject({ opened: false });
    await terminal.agent.flushed();
    expect((await refusals()).at(-1)).toBe("EXPIRED");
    expect((await courier.client.reservations.getReservation({ reservationId })).reservation?.state).toBe(state);
  });
});

describe("a deposit token for a reservation whose depositor did not come in time", () => {
  it.each([false, true])("opens nothing once the gateway has released the place (revoked: %s)", async (isRevoked) => {
    const place = { case: "siteId", value: siteIds[0] ?? "" } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    const subject = { case: "reservationId", value: reservationId } as const;
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const { accessToken: token, credentialHash } = await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId,
      act: Act.DEPOSIT,
    });
    if (isRevoked) await courier.client.reservations.revokeCredential({ requestId: randomUUID(), subject, credentialHash });
    clock.advance(depositWithinMs - 1);
    await swept();
    await terminal.agent.syncNow();
    if (isRevoked) expect(await terminal.agent.present({ token })).toMatchObject({ opened: false });
    clock.advance(1);
    for (const afterMs of [0, 299_999]) {
      clock.advance(afterMs);
      await swept();
      await terminal.agent.syncNow();
      expect((await courier.client.reservations.getReservation({ reservationId })).reservation?.state).toBe(ReservationState.NO_SHOW);
      expect(await terminal.agent.present({ token })).toMatchObject({ opened: false });
    }
  });
});
