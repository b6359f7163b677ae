import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type GetLimitsRequestSchema, type Limit, LimitKind, Mode, parseSiteId, Role, reasonOf } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
let network: TestNetwork;
let merchant: TestParticipant;
let siteId: string;
let region: string;

beforeEach(async () => {
  network = await startTestNetwork({ redis, queueShareMax: 3, queueRegionShareMax: 5 });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  merchant = await network.join("Merchant", [Role.MERCHANT]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1]] });
  [siteId = ""] = await network.putSites(operator, site);
  region = parseSiteId(siteId)?.region ?? "";
  return () => network.stop();
});

/** Reserves at the site, or is queued there. */
async function reserveOrWait(by: TestParticipant): Promise<void> {
  const place = { case: "siteId", value: siteId } as const;
  await by.client.reservations.reserve({ requestId: randomUUID(), place, parcel, overflowPolicy: { wait: { seconds: 3600n } } });
}

const limitsOf = async (by: TestParticipant, request: MessageInitShape<typeof GetLimitsRequestSchema> = {}): Promise<Limit[]> =>
  (await by.client.participants.getLimits(request)).limits;

/** The limits of one kind, as numbers. */
const numbersOf = (limits: readonly Limit[], kind: LimitKind) =>
  limits
    .filter((limit) => limit.kind === kind)
    .map(({ limit, used, left }) => [limit, used, left].map((one) => (one === undefined ? one : Number(one))));

describe("GetLimits", () => {
  it("states the limits on messages, pages, batches and webhooks, everywhere", async () => {
    const limits = await limitsOf(merchant);
    expect(numbersOf(limits, LimitKind.REQUEST_BYTES)).toEqual([[1_048_576, undefined, undefined]]);
    expect(numbersOf(limits, LimitKind.WEBHOOK_ENDPOINTS)).toEqual([[20, 0, 20]]);
    const batch = limits.filter(({ method }) => method === "petak.v1.ReservationService/Batch");
    expect(batch.map(({ kind, limit }) => [kind, limit])).toEqual([
      [LimitKind.REQUEST_ITEMS, 100n],
      [LimitKind.BATCHES_IN_PROGRESS, 4n],
    ]);
    const paged = limits.filter(({ kind }) => kind === LimitKind.PAGE_ITEMS);
    expect(Object.fromEntries(paged.map(({ method, limit }) => [method, Number(limit)]))).toEqual({
      "petak.v1.AuditService/ListAuditEntries": 500,
      "petak.v1.DirectoryService/ListSites": 500,
      "petak.v1.ReservationService/ListReservations": 500,
      "petak.v1.ReservationService/GetManifest": 500,
      "petak.v1.CustodyService/ListEvents": 1000,
      "petak.v1.ParticipantService/ListKeys": 500,
      "petak.v1.ParticipantService/ListParticipants": 500,
    });
    expect(numbersOf(limits, LimitKind.BATCHES_IN_PROGRESS)).toEqual([[4, 0, 4]]);
    expect(numbersOf(limits, LimitKind.CALLS_IN_PROGRESS)).toEqual([[256, 1, 255]]);
    expect(limits.filter(({ region, siteId }) => region !== "" || siteId !== "")).toEqual([]);
  });

  it("states what is used of a site's queue, by the participant and by all", async () => {
    const other = await network.join("Other", [Role.MERCHANT]);
    for (const by of [other, merchant, merchant, other]) await reserveOrWait(by);
    const limits = await limitsOf(merchant, { siteId });
    expect(numbersOf(limits, LimitKind.QUEUED_AT_SITE)).toEqual([[3, 2, 1]]);
    expect(numbersOf(limits, LimitKind.QUEUED_IN_REGION)).toEqual([[5, 2, 3]]);
    expect(numbersOf(limits, LimitKind.QUEUE_OF_SITE)).toEqual([[1000, 3, 997]]);
    expect(limits.filter((limit) => limit.siteId === siteId)).toHaveLength(4);
    const inRegion = await limitsOf(merchant, { region });
    expect(numbersOf(inRegion, LimitKind.QUEUED_IN_REGION)).toEqual([[5, 2, 3]]);
    expect(numbersOf(inRegion, LimitKind.QUEUED_AT_SITE)).toEqual([]);
  });

  it("tells an administrator about every participant, and others about themselves only", async () => {
    await reserveOrWait(merchant);
    await reserveOrWait(merchant);
    const { participantId } = merchant;
    const asked = { participantId, siteId, mode: Mode.TEST };
    expect(numbersOf(await limitsOf(network.admin, asked), LimitKind.QUEUED_AT_SITE)).toEqual([[3, 1, 2]]);
    const other = await network.join("Other", [Role.MERCHANT]);
    expect(reasonOf(await limitsOf(other, asked).catch((error: unknown) => error))).toBe("PARTICIPANT_NOT_FOUND");
  });
});
