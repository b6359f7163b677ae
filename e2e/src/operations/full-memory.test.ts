import { randomUUID } from "node:crypto";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { Act, CancellationReason, EventType, Mode, ReservationState, Role, reasonOf, SiteLifecycle } from "@petak/protocol";
import { installedFlavours, makeSite, roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const soon = { interval: 20 };
const site = (ref: string) => makeSite({ ...origin, ref, classes: [["M", 400, 200, 500, 20_000, 10]] });
/** Room between what a new network takes and the server's limit, in bytes. */
const roomBytes = 30_000_000;

// The other flavour only in longer runs.
const flavours = (await installedFlavours()).slice(0, roundsHere({ short: 1, ci: 2, long: 2 }));

describe.each(flavours)("over %s with little memory", (flavour) => {
  let server: TestServer;
  let tool: Redis;
  let network: TestNetwork;
  let operator: TestParticipant;
  let courier: TestParticipant;
  let terminal: SimulatedTerminal;
  let siteId: string;
  let maxBytes: number;

  beforeEach(async () => {
    server = await startTestServer({ flavour });
    tool = new Redis(server.options);
    const management = { host: "127.0.0.1", port: 0 };
    network = await startTestNetwork({ redis: server, management, expectsErrors: true, storeFill: { intervalMs: 20, nearIntervalMs: 20 } });
    operator = await network.join("Operator", [Role.OPERATOR]);
    courier = await network.join("Courier", [Role.COURIER]);
    siteId = await network.putSite(operator, site("one"));
    const cabinet = ["M1", "M2", "M3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
    terminal = await network.openTerminal(operator, siteId, { cabinet });
    maxBytes = (await usedBytes()) + roomBytes;
    await tool.config("SET", "maxmemory", maxBytes);
  });
  afterEach(async () => {
    await network.stop();
    tool.disconnect();
    await server.stop();
  });

  /** What counts towards the limit: not the buffer of the append-only file, which a slow disk lets grow by megabytes and then empties. */
  async function usedBytes(): Promise<number> {
    const info = await tool.info("memory");
    const bytes = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, "m").exec(info)?.[1]);
    return bytes("used_memory") - bytes("mem_not_counted_for_evict");
  }

  /** Writes junk until this part of the memory is used. */
  async function fillTo(part: number): Promise<void> {
    for (let number = 0; (await usedBytes()) < part * maxBytes; number += 1) await tool.set(`junk:${number}`, Buffer.alloc(50_000));
  }

  async function freeMemory(): Promise<void> {
    const names = await tool.keys("junk:*");
    if (names.length > 0) await tool.del(...names);
  }

  async function ready(): Promise<[status: number, body: object]> {
    const answer = await fetch(`${network.baseUrl}/readyz`);
    return [answer.status, (await answer.json()) as object];
  }

  const hasStatus = (status: string) => expect.poll(async () => (await ready())[1], soon).toMatchObject({ status });
  const requestId = () => randomUUID();
  const place = () => ({ case: "siteId", value: siteId }) as const;
  const reserve = async () =>
    (await courier.client.reservations.reserve({ requestId: requestId(), place: place(), parcel })).reservation?.reservationId ?? "";
  const confirm = (reservationId: string) => courier.client.reservations.confirm({ requestId: requestId(), reservationId });
  const token = async (reservationId: string, act: Act) =>
    await courier.client.reservations.issueCredential({ requestId: requestId(), reservationId, act });
  const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;
  const reasonFor = async (work: Promise<unknown>) =>
    await work.then(
      () => "done",
      (error: unknown) => reasonOf(error),
    );

  async function deposited(): Promise<string> {
    const reservationId = await reserve();
    await confirm(reservationId);
    const { accessToken } = await token(reservationId, Act.DEPOSIT);
    expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
    return reservationId;
  }

  async function newKey(of: TestParticipant): Promise<string> {
    const { key } = await network.admin.client.participants.registerKey((await newRegistration(of.participantId)).request);
    return key?.keyId ?? "";
  }

  it("what makes the store grow is refused with STORE_FULL while everything about what exists goes on, until there is room", async () => {
    const [inside, held, given, other] = [await deposited(), await reserve(), await reserve(), await reserve()];
    await confirm(other);
    const stolen = await newKey(courier);
    const early = await token(other, Act.COLLECT);
    await fillTo(0.75);
    await expect.poll(() => network.log().filter(({ level, msg }) => level === 40 && / full; from 85 % on/.test(msg)).length, soon).toBe(1);
    expect(await ready()).toMatchObject([200, { status: "ready", growth: "ok" }]);
    // The network of this test is the test network: it grows no more, and the live one does.
    expect(await reasonFor(reserve())).toBe("STORE_FULL");
    const tried = await courier.client.reservations.batch({
      calls: [{ call: { case: "reserve", value: { requestId: requestId(), place: place(), parcel } } }],
    });
    expect(tried.results.map(({ result }) => result.case === "error" && result.value.reason)).toEqual(["STORE_FULL"]);
    expect(await reasonFor(operator.client.directory.upsertSites({ requestId: requestId(), sites: [site("two")] }))).toBe("STORE_FULL");
    await network.admin.client.participants.createParticipant({ requestId: requestId(), displayName: "Live", roles: [Role.COURIER] });
    await fillTo(0.9);
    await hasStatus("degraded");
    expect(await ready()).toMatchObject([200, { status: "degraded", growth: "refused", changes: "ok", checks: { redis: "ok" } }]);
    const metrics = await (await fetch(`http://127.0.0.1:${network.gateway.managementAddress?.port}/metrics`)).text();
    expect(metrics).toMatch(/^petak_store_fill_ratio 0\.(8[3-9]|9)/m);
    expect(metrics).toMatch(/^petak_store_refuses_growth 1$/m);

    const { reservations, participants, webhooks } = courier.client;
    const { request: registration } = await newRegistration(courier.participantId);
    const growing = [
      reserve(),
      reservations.redirect({ requestId: requestId(), reservationId: held, place: place() }),
      reservations.putBundle({ requestId: requestId(), reservationIds: [inside] }),
      participants.registerKey(registration),
      participants.createPublishableKey({ requestId: requestId(), origins: ["https://shop.example"], mode: Mode.TEST }),
      webhooks.createEndpoint({ requestId: requestId(), url: "https://hooks.invalid/petak" }),
      network.admin.client.participants.createParticipant({ requestId: requestId(), displayName: "New", roles: [Role.COURIER] }),
      operator.client.directory.upsertSites({ requestId: requestId(), sites: [site("one"), site("two")] }),
      operator.client.directory.setDefaultTerms({ requestId: requestId(), terms: {} }),
    ];
    expect(await Promise.all(growing.map(reasonFor))).toEqual(growing.map(() => "STORE_FULL"));
    const { results } = await reservations.batch({
      calls: [
        { call: { case: "reserve", value: { requestId: requestId(), place: place(), parcel } } },
        { call: { case: "confirm", value: { requestId: requestId(), reservationId: held } } },
      ],
    });
    expect(results.map(({ result }) => (result.case === "error" ? result.value.reason : result.case))).toEqual(["STORE_FULL", "confirm"]);

    const { accessToken } = await token(inside, Act.COLLECT);
    await terminal.agent.syncNow();
    expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
    await reservations.cancel({ requestId: requestId(), reservationId: given, reason: CancellationReason.OTHER });
    await participants.revokeKey({ requestId: requestId(), keyId: stolen });
    const subject = { case: "reservationId", value: other } as const;
    await reservations.revokeCredential({ requestId: requestId(), subject, credentialHash: early.credentialHash });
    const paused = { ...site("one"), lifecycle: SiteLifecycle.MAINTENANCE };
    await operator.client.directory.upsertSites({ requestId: requestId(), sites: [paused] });
    await operator.client.directory.upsertSites({ requestId: requestId(), sites: [site("one")] });
    await terminal.agent.flushed();
    expect(await Promise.all([inside, held, given, other].map(stateOf))).toEqual([
      ReservationState.COLLECTED,
      ReservationState.CONFIRMED,
      ReservationState.CANCELLED,
      ReservationState.CONFIRMED,
    ]);
    expect(network.log().filter(({ level, msg }) => level === 50 && /gets STORE_FULL/.test(msg))).toHaveLength(1);

    await freeMemory();
    await hasStatus("ready");
    expect(await reasonFor(reserve())).toBe("done");
    // The two that were confirmed, and one from after.
    const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
    expect(availabilities[0]?.sizeClasses).toMatchObject([{ held: 3, occupied: 0, freeToPromise: 7 }]);
  });

  it("a store that rejects every change is answered for at once with STORE_FULL, and the same requests succeed when there is room", async () => {
    const inside = await deposited();
    await terminal.agent.flushed();
    const stolen = await newKey(courier);
    const { accessToken } = await token(inside, Act.COLLECT);
    await terminal.agent.syncNow();
    await tool.config("SET", "maxmemory", 1);
    const revoking = { requestId: requestId(), keyId: stolen };
    const reserving = { requestId: requestId(), place: place(), parcel };
    const { participants, reservations } = courier.client;
    // The client sends nothing again: the answers are not UNAVAILABLE, and ask for more patience than it has.
    const sent = () => network.log().filter(({ method }) => /RevokeKey|Reserve$/.test(String(method))).length;
    const before = sent();
    expect(await reasonFor(participants.revokeKey(revoking))).toBe("STORE_FULL");
    expect(await reasonFor(reservations.reserve(reserving))).toBe("STORE_FULL");
    expect(sent() - before).toBe(2);
    expect(await stateOf(inside)).toBe(ReservationState.DEPOSITED);
    // The agent decides alone, and keeps its reports.
    const opened = await terminal.agent.present({ token: accessToken });
    expect(opened).toMatchObject({ opened: true });
    const compartmentId = opened.opened ? opened.compartmentId : "";
    terminal.cabinet.takeOut(compartmentId);
    terminal.cabinet.closeDoor(compartmentId);
    await hasStatus("degraded");
    expect(await ready()).toMatchObject([200, { changes: "refused" }]);
    await tool.config("SET", "maxmemory", 0);
    await expect.poll(() => reasonFor(participants.revokeKey(revoking)), soon).toBe("done");
    await expect.poll(() => reasonFor(reservations.reserve(reserving)), soon).toBe("done");
    const { reservation } = await reservations.reserve(reserving);
    expect((await reservations.reserve(reserving)).reservation).toEqual(reservation);
    await terminal.agent.flushed();
    await expect.poll(() => stateOf(inside), soon).toBe(ReservationState.COLLECTED);
    const { events } = await courier.client.custody.getCustodyChain({ reservationId: inside });
    expect(events.filter(({ type }) => type === EventType.PARCEL_COLLECTED)).toHaveLength(1);
    const { keys } = await courier.client.participants.listKeys({});
    expect(keys.find(({ keyId }) => keyId === stolen)?.revokedAt).toBeDefined();
    expect(network.log().filter(({ reason }) => reason === "INTERNAL")).toEqual([]);
  });
});
