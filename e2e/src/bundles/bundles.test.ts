import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import {
  Act,
  type Bundle,
  CancellationReason,
  EventType,
  fromConnectError,
  Purpose,
  ReservationState,
  Role,
  reasonOf,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const names = ["A1", "A2", "A3", "A4", "A5"];
const compartments = names.map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
const notAccepted = { opened: false, refusal: "NOT_ACCEPTED" };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let terminal: SimulatedTerminal;

beforeEach(async () => {
  clock = createFrozenClock();
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await putSite(1.3, "one");
  terminal = await network.openTerminal(operator, siteId, { cabinet: compartments });
  return () => network.stop();
});

async function putSite(latitude: number, ref: string): Promise<string> {
  const site = makeSite({ latitude, longitude: 103.8, ref, classes: [["M", 400, 200, 500, 20_000, 5]] }, { compartments });
  return await network.putSite(operator, site);
}

async function reserve(at = siteId, by = courier, purpose: Purpose = Purpose.DELIVERY): Promise<string> {
  const place = { case: "siteId", value: at } as const;
  const { reservation } = await by.client.reservations.reserve({ requestId: randomUUID(), place, parcel, purpose });
  const reservationId = reservation?.reservationId ?? "";
  await by.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

/** Reserves, confirms and deposits this many parcels. */
async function deposited(count: number): Promise<string[]> {
  const reservationIds: string[] = [];
  while (reservationIds.length < count) {
    const reservationId = await reserve();
    await deposit(reservationId);
    reservationIds.push(reservationId);
  }
  return reservationIds;
}

async function deposit(reservationId: string): Promise<void> {
  const { accessToken } = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  const outcome = await terminal.visit({ token: accessToken });
  if (!outcome.opened) throw new Error(outcome.refusal);
}

async function bundleOf(reservationIds: string[], bundleId = ""): Promise<Bundle> {
  const { bundle } = await courier.client.reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds });
  if (bundle === undefined) throw new Error("the response has no bundle");
  return bundle;
}

const bundleCredential = (bundleId: string, withPin = false) =>
  courier.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin });

async function collectToken(reservationId: string): Promise<string> {
  return (await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT })).accessToken;
}

const delegate = (accessToken: string, untilMs?: number) =>
  courier.client.reservations.delegateCredential({
    requestId: randomUUID(),
    accessToken,
    ...(untilMs === undefined ? {} : { expiresAt: timestampFromMs(untilMs) }),
  });

const extension = (reservationId: string, untilMs: number) => ({ requestId: randomUUID(), reservationId, until: timestampFromMs(untilMs) });

/** The end of the only bundle's PIN as the gateway's list states it at the next Sync, in ms; undefined if the list has no PIN. */
async function listedPinEndMs(): Promise<number | undefined> {
  await terminal.agent.syncNow();
  const [bundle] = terminal.store.bundles();
  return bundle === undefined || bundle.pinHash.length === 0 ? undefined : timestampMs(bundle.expiresAt ?? timestampFromMs(0));
}

const openDoors = () => names.filter((name) => terminal.cabinet.doorState(name) === "OPEN");

/** Takes the parcels out of each open door until none is open. @returns the doors in the order in which they opened */
async function takeAll(): Promise<string[]> {
  const taken: string[] = [];
  for (let [door] = openDoors(); door !== undefined; [door] = openDoors()) {
    terminal.cabinet.takeOut(door);
    terminal.cabinet.closeDoor(door);
    await terminal.agent.flushed();
    taken.push(door);
  }
  return taken;
}

const chainOf = (reservationId: string) => courier.client.custody.getCustodyChain({ reservationId });

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

describe("a bundle", () => {
  it.each([2, 5])("of %d parcels is collected in one visit, each with its own custody event", async (count) => {
    const reservationIds = await deposited(count);
    const { bundleId } = await bundleOf(reservationIds);
    const { accessToken, credentialHash } = await bundleCredential(bundleId);
    expect(accessToken.length).toBeLessThanOrEqual(320);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: accessToken })).toMatchObject({ opened: true, doorsToCome: count - 1 });
    expect(await takeAll()).toEqual(names.slice(0, count));
    for (const reservationId of reservationIds) {
      const { reservation, events } = await chainOf(reservationId);
      expect(reservation).toMatchObject({ state: ReservationState.COLLECTED, bundleId });
      const collected = events.filter(({ type }) => type === EventType.PARCEL_COLLECTED);
      expect(collected).toMatchObject([{ bundleId, proof: { credentialHash, parentCredentialHash: "" } }]);
    }
    expect(await terminal.agent.present({ token: accessToken })).toEqual(notAccepted);
  });

  it("is collected with one PIN for all its parcels", async () => {
    const reservationIds = await deposited(3);
    const { bundleId } = await bundleOf(reservationIds);
    const { pin } = await bundleCredential(bundleId, true);
    expect(pin).toMatch(/^[0-9]{8}$/);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ pin })).toMatchObject({ opened: true, doorsToCome: 2 });
    expect(await takeAll()).toEqual(["A1", "A2", "A3"]);
  });

  it("accepts and releases parcels before and after their deposit, and is not held up by cancelled or redirected ones", async () => {
    const [inside = ""] = await deposited(1);
    const later = await reserve();
    const cancelled = await reserve();
    const { bundleId } = await bundleOf([inside, later, cancelled]);
    const redirectable = await reserve();
    await bundleOf([inside, later, cancelled, redirectable], bundleId);
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: cancelled, reason: CancellationReason.OTHER });
    const elsewhere = await putSite(1.301, "two");
    const { reservation } = await courier.client.reservations.redirect({
      requestId: randomUUID(),
      reservationId: redirectable,
      place: { case: "siteId", value: elsewhere },
      reason: CancellationReason.OTHER,
    });
    expect(reservation).toMatchObject({ siteId: elsewhere, bundleId: "" });
    await deposit(later);
    const leaving = await deposited(1);
    await bundleOf([later, inside, ...leaving], bundleId);
    await bundleOf([later, inside], bundleId);
    expect((await chainOf(leaving[0] ?? "")).events.map(({ type }) => type).slice(-2)).toEqual([
      EventType.RESERVATION_BUNDLED,
      EventType.RESERVATION_UNBUNDLED,
    ]);
    const { accessToken } = await bundleCredential(bundleId);
    await terminal.agent.syncNow();
    await terminal.agent.present({ token: accessToken });
    // In the order of the last PutBundle: `later` lies behind A2.
    expect(await takeAll()).toEqual(["A2", "A1"]);
    expect(terminal.cabinet.contents()).toEqual(["A3"]);
    const got = await courier.client.reservations.getBundle({ bundleId });
    expect(got.bundle?.reservationIds).toEqual([later, inside]);
    expect(got.reservations.map(({ state }) => state)).toEqual([ReservationState.COLLECTED, ReservationState.COLLECTED]);
  });

  it("accepts only reservations of one participant at one site with one collector", async () => {
    const one = await reserve();
    const other = await network.join("Another courier", [Role.COURIER]);
    const put = (reservationIds: string[], bundleId = "") =>
      reason(courier.client.reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds }));
    expect(await put([one, await reserve(siteId, other)])).toBe("RESERVATION_NOT_FOUND");
    expect(await put([one, await reserve(await putSite(1.301, "two"))])).toBe("BUNDLE_MISMATCH");
    expect(await put([one, await reserve(siteId, courier, Purpose.RETURN)])).toBe("BUNDLE_MISMATCH");
    const { bundleId } = await bundleOf([one]);
    expect(await put([one])).toBe("BUNDLE_MISMATCH");
    expect(await put([one], "bdl_836520_0000000000000000")).toBe("BUNDLE_NOT_FOUND");
    const cancelled = await reserve();
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: cancelled, reason: CancellationReason.OTHER });
    expect(await put([one, cancelled], bundleId)).toBe("ILLEGAL_STATE");
    expect(await reason(other.client.reservations.getBundle({ bundleId }))).toBe("BUNDLE_NOT_FOUND");
    expect(await reason(other.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId }))).toBe("BUNDLE_NOT_FOUND");
    expect(await reason(operator.client.reservations.getBundle({ bundleId }))).toBe("accepted");
    expect(await reason(operator.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId }))).toBe(
      "BUNDLE_NOT_FOUND",
    );
  });

  it("gets the same response to a repeated request, and so do its credentials", async () => {
    const reservationIds = await deposited(2);
    const put = { requestId: randomUUID(), reservationIds };
    const [first, duplicate] = await Promise.all([courier.client.reservations.putBundle(put), courier.client.reservations.putBundle(put)]);
    expect(duplicate).toEqual(first);
    const bundleId = first.bundle?.bundleId ?? "";
    const issue = { requestId: randomUUID(), bundleId, withPin: true };
    const credential = await courier.client.reservations.issueBundleCredential(issue);
    clock.advance(1000);
    expect(await courier.client.reservations.issueBundleCredential(issue)).toEqual(credential);
    expect(await courier.client.reservations.putBundle(put)).toEqual(first);
    for (const reservationId of reservationIds) {
      const types = (await chainOf(reservationId)).events.map(({ type }) => type);
      expect(types.filter((type) => type === EventType.RESERVATION_BUNDLED)).toHaveLength(1);
      expect(types.filter((type) => type === EventType.CREDENTIAL_ISSUED)).toHaveLength(2);
    }
    expect(await reason(courier.client.reservations.issueBundleCredential({ ...issue, withPin: false }))).toBe("REQUEST_ID_REUSED");
  });
});

describe("a bundle with a parcel whose storage is extended", () => {
  it.each(["alone", "in a batch"])("by Extend %s is collected with its PIN until the new limit, though that had ended", async (how) => {
    const [extended = "", beside = ""] = await deposited(2);
    const { bundleId } = await bundleOf([extended, beside]);
    const { pin } = await bundleCredential(bundleId, true);
    await terminal.agent.syncNow();
    clock.advance(3 * dayMs + 5 * 60_000);
    expect(await terminal.agent.present({ pin })).toEqual(notAccepted);
    const value = extension(extended, clock.now() + 2 * dayMs);
    if (how === "alone") await courier.client.reservations.extend(value);
    else await courier.client.reservations.batch({ calls: [{ call: { case: "extend", value } }] });
    await terminal.agent.syncNow();
    clock.advance(2 * dayMs - 1);
    expect(await terminal.agent.present({ pin })).toMatchObject({ opened: true, doorsToCome: 1 });
    expect(await takeAll()).toEqual(["A1", "A2"]);
    // An ended reservation cannot be extended, and the PIN is spent for both.
    expect(await reason(courier.client.reservations.extend(extension(beside, clock.now() + dayMs)))).toBe("ILLEGAL_STATE");
    expect(await terminal.agent.present({ pin })).toEqual(notAccepted);
  });

  it("keeps the latest of its parcels' limits as the end of its PIN, at most 14 days from when the PIN was issued", async () => {
    const early = await reserve();
    const { bundleId } = await bundleOf([early]);
    const issuedAtMs = Math.floor(clock.now() / 1000) * 1000;
    await bundleCredential(bundleId, true);
    const firstEndMs = await listedPinEndMs();
    clock.advance(12 * hourMs);
    await deposit(early);
    const [later = ""] = await deposited(1);
    await bundleOf([early, later], bundleId);
    expect(await listedPinEndMs()).toBe(firstEndMs);
    const depositedMs = Math.floor(clock.now() / 1000) * 1000;
    const extend = async (reservationId: string, days: number) => {
      await courier.client.reservations.extend(extension(reservationId, depositedMs + days * dayMs));
      return await listedPinEndMs();
    };
    expect(await extend(early, 3.25)).toBe(firstEndMs);
    expect(await extend(later, 6)).toBe(depositedMs + 6 * dayMs);
    expect(await extend(early, 4)).toBe(depositedMs + 6 * dayMs);
    expect(await extend(early, 14)).toBe(issuedAtMs + 14 * dayMs);
    // A parcel that has left the bundle no longer affects it.
    await bundleOf([early], bundleId);
    await bundleCredential(bundleId, true);
    const nextEndMs = await listedPinEndMs();
    expect(await extend(later, 10)).toBe(nextEndMs);
  });

  it("gets no PIN from Extend if it has none or if it was revoked; a repeated Extend does not restore it either", async () => {
    const [one = ""] = await deposited(1);
    const { bundleId } = await bundleOf([one]);
    await courier.client.reservations.extend(extension(one, clock.now() + 4 * dayMs));
    expect(await listedPinEndMs()).toBeUndefined();
    const { pin } = await bundleCredential(bundleId, true);
    const request = extension(one, clock.now() + 5 * dayMs);
    const answer = await courier.client.reservations.extend(request);
    expect(await listedPinEndMs()).toBeDefined();
    const subject = { case: "bundleId", value: bundleId } as const;
    await courier.client.reservations.revokeCredential({ requestId: randomUUID(), subject, pin: true });
    expect(await courier.client.reservations.extend(request)).toEqual(answer);
    await courier.client.reservations.extend(extension(one, clock.now() + 6 * dayMs));
    expect(await listedPinEndMs()).toBeUndefined();
    expect(await terminal.agent.present({ pin })).toEqual(notAccepted);
  });

  it("opens no door with a spent PIN for a parcel that joined later and was extended", async () => {
    const first = await deposited(2);
    const { bundleId } = await bundleOf(first);
    const { pin } = await bundleCredential(bundleId, true);
    await terminal.agent.syncNow();
    await terminal.agent.present({ pin });
    expect(await takeAll()).toEqual(["A1", "A2"]);
    // The site no longer hears of the bundle, and the PIN's end passes.
    await terminal.agent.syncNow();
    clock.advance(3 * dayMs + hourMs);
    await terminal.agent.syncNow();
    const [later = ""] = await deposited(1);
    await bundleOf([...first, later], bundleId);
    await courier.client.reservations.extend(extension(later, clock.now() + 5 * dayMs));
    expect(await listedPinEndMs()).toBe(Math.floor(clock.now() / 1000) * 1000 + 5 * dayMs);
    expect(await terminal.agent.present({ pin })).toEqual(notAccepted);
    expect(terminal.cabinet.contents()).toEqual(["A1"]);
    const { accessToken } = await bundleCredential(bundleId);
    expect(await terminal.agent.present({ token: accessToken })).toMatchObject({ opened: true, doorsToCome: 0 });
  });
});

describe("a delegate", () => {
  it("collects with a delegated credential, which the record distinguishes; the recipient's credential then opens nothing", async () => {
    const [reservationId = ""] = await deposited(1);
    const recipient = await collectToken(reservationId);
    const child = await delegate(recipient);
    expect(timestampMs(child.expiresAt ?? timestampFromMs(0))).toBeLessThanOrEqual(clock.now() + 24 * hourMs);
    expect(await terminal.agent.present({ token: child.accessToken })).toMatchObject({ opened: true, compartmentId: "A1" });
    expect(await terminal.agent.present({ token: recipient })).toEqual(notAccepted);
    await takeAll();
    const { reservation, events } = await chainOf(reservationId);
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
    const { credentialHash, parentCredentialHash } = child;
    expect(events.find(({ type }) => type === EventType.CREDENTIAL_DELEGATED)?.proof).toMatchObject({
      credentialHash,
      parentCredentialHash,
    });
    expect(events.at(-1)).toMatchObject({ type: EventType.PARCEL_COLLECTED, proof: { credentialHash, parentCredentialHash } });
    expect(await terminal.agent.present({ token: recipient })).toEqual(notAccepted);
    expect(await terminal.agent.present({ token: child.accessToken })).toEqual(notAccepted);
    await terminal.restart();
    expect(await terminal.agent.present({ token: child.accessToken })).toEqual(notAccepted);
  });

  it("collects a bundle", async () => {
    const { bundleId } = await bundleOf(await deposited(3));
    const { accessToken } = await bundleCredential(bundleId);
    const child = await delegate(accessToken);
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: child.accessToken })).toMatchObject({ opened: true, doorsToCome: 2 });
    expect(await takeAll()).toEqual(["A1", "A2", "A3"]);
    const { bundle, reservations } = await courier.client.reservations.getBundle({ bundleId });
    expect(bundle?.delegations).toMatchObject([{ credentialHash: child.credentialHash, parentCredentialHash: child.parentCredentialHash }]);
    const { events } = await chainOf(reservations[2]?.reservationId ?? "");
    expect(events.at(-1)?.proof).toMatchObject({ parentCredentialHash: child.parentCredentialHash });
  });

  it("is refused like any holder when the credential has expired, was revoked, or is for another reservation or site", async () => {
    const [one = "", two = ""] = await deposited(2);
    const recipient = await collectToken(one);
    const short = await delegate(recipient, clock.now() + hourMs);
    const revoked = await delegate(recipient, clock.now() + 48 * hourMs);
    await courier.client.reservations.revokeCredential({
      requestId: randomUUID(),
      subject: { case: "reservationId", value: one },
      credentialHash: revoked.credentialHash,
    });
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: revoked.accessToken })).toEqual(notAccepted);
    clock.advance(hourMs + 300_000);
    expect(await terminal.agent.present({ token: short.accessToken })).toEqual(notAccepted);
    const elsewhere = await reserve(await putSite(1.301, "two"));
    const other = await delegate(await collectToken(elsewhere));
    expect(await terminal.agent.present({ token: other.accessToken })).toEqual(notAccepted);
    expect(terminal.cabinet.contents()).toEqual(["A1", "A2"]);
    const refusals = async (id: string) => (await chainOf(id)).events.flatMap(({ proof }) => proof?.refusal || []);
    await terminal.agent.flushed();
    expect(await refusals(one)).toEqual(["REVOKED", "EXPIRED"]);
    expect(await refusals(two)).toEqual([]);
    // The recipient's own credential still works.
    expect(await terminal.agent.present({ token: recipient })).toMatchObject({ opened: true });
  });

  it("gets a credential only from the recipient's own collect token, if that is genuine, valid and not revoked", async () => {
    const [reservationId = ""] = await deposited(1);
    const waiting = await reserve();
    const recipient = await collectToken(reservationId);
    const child = await delegate(recipient);
    const refusal = (token: string) =>
      delegate(token).then(
        () => "accepted",
        (error: unknown) => fromConnectError(error as never)?.metadata.refusal ?? reasonOf(error),
      );
    expect(await refusal(child.accessToken)).toBe("DELEGATED");
    expect(await refusal("x")).toBe("MALFORMED");
    expect(await refusal(`${recipient.slice(0, -9)}AAAAAAAAA`)).toBe("SIGNATURE");
    const toDeposit = await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId: waiting,
      act: Act.DEPOSIT,
    });
    expect(await refusal(toDeposit.accessToken)).toBe("TYPE");
    const other = await network.join("Another courier", [Role.COURIER]);
    expect(await reason(other.client.reservations.delegateCredential({ requestId: randomUUID(), accessToken: recipient }))).toBe(
      "RESERVATION_NOT_FOUND",
    );
    expect(await reason(delegate(recipient, clock.now() + 999))).toBe("INVALID_FIELD");
    for (let count = 1; count < 10; count += 1) await delegate(recipient);
    expect(await reason(delegate(recipient))).toBe("CREDENTIALS_EXHAUSTED");
    // Revoking the recipient's credential revokes those made from it.
    await courier.client.reservations.revokeCredential({
      requestId: randomUUID(),
      subject: { case: "reservationId", value: reservationId },
      credentialHash: child.parentCredentialHash,
    });
    expect(await refusal(recipient)).toBe("REVOKED");
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ token: recipient })).toEqual(notAccepted);
    expect(await terminal.agent.present({ token: child.accessToken })).toEqual(notAccepted);
    expect(await terminal.agent.present({ token: await collectToken(reservationId) })).toMatchObject({ opened: true });
    await takeAll();
    expect(await refusal(recipient)).toBe("ILLEGAL_STATE");
  });

  it("gets the same credential for the same request, even after the recipient's credential has expired", async () => {
    const [reservationId = ""] = await deposited(1);
    const request = { requestId: randomUUID(), accessToken: await collectToken(reservationId) };
    const child = await courier.client.reservations.delegateCredential(request);
    clock.advance(20 * hourMs);
    expect(await courier.client.reservations.delegateCredential(request)).toEqual(child);
    const { reservation } = await courier.client.reservations.getReservation({ reservationId });
    expect(reservation?.delegations).toHaveLength(1);
  });
});

describe("a PIN", () => {
  it("opens nothing after it was revoked, for a reservation and for a bundle", async () => {
    const [one = "", two = ""] = await deposited(2);
    const own = await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId: one,
      act: Act.COLLECT,
      withPin: true,
    });
    const { bundleId } = await bundleOf([one, two]);
    const { pin } = await bundleCredential(bundleId, true);
    await terminal.agent.syncNow();
    const revoke = (subject: { case: "reservationId" | "bundleId"; value: string }) =>
      courier.client.reservations.revokeCredential({ requestId: randomUUID(), subject, pin: true });
    await revoke({ case: "reservationId", value: one });
    await revoke({ case: "bundleId", value: bundleId });
    await terminal.agent.syncNow();
    expect(await terminal.agent.present({ pin: own.pin })).toEqual(notAccepted);
    expect(await terminal.agent.present({ pin })).toEqual(notAccepted);
    const nothing = { requestId: randomUUID(), subject: { case: "bundleId", value: bundleId } } as const;
    expect(await reason(courier.client.reservations.revokeCredential(nothing))).toBe("INVALID_FIELD");
  });
});
