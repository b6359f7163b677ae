import { randomUUID } from "node:crypto";
import { Act, CancellationReason, CodeStanding, DeviceEventType, Mode, ReservationState, Role, SiteKind } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const S = CodeStanding;
let network: TestNetwork;
let chain: TestParticipant;
let courier: TestParticipant;
let hereId: string;
let thereId: string;
let reporter: SiteReporter;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  chain = await network.join("Chain of shops", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  [hereId = "", thereId = ""] = await network.putSites(chain, shop("Shop here", 1.3), shop("Shop in another region", 3.1));
  reporter = await network.reporterAt(chain, hereId);
  return () => network.stop();
});

function shop(name: string, latitude: number, isTest = true) {
  return makeSite({ latitude, longitude: 103.8, ref: name, kind: SiteKind.COLLECTION_POINT, isTest }, { name });
}

async function reserve(siteId: string, labelCodes: string[], by = courier): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const asked = { requestId: randomUUID(), place, parcel: { ...parcel, labelCodes } };
  return (await by.client.reservations.reserve(asked)).reservation?.reservationId ?? "";
}

async function confirmed(siteId: string, labelCodes: string[], by = courier): Promise<string> {
  const reservationId = await reserve(siteId, labelCodes, by);
  await by.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

/** Asks as the agent of a site. */
async function askerAt(siteId: string, operator = chain) {
  const { agents } = network.clientFor(await network.agentSigner(operator, siteId));
  return (code: string) => agents.resolveCode({ siteId, code });
}

const report = (reservationId: string, ...types: DeviceEventType[]) =>
  reporter.report(...types.map((type) => ({ type, reservationId, compartmentId: "A1" })));

describe("a scanned code that the agent does not know", () => {
  it("is known to be held, in whatever case, for as long as the hold lasts, and at its own site", async () => {
    const [askHere, askThere] = [await askerAt(hereId), await askerAt(thereId)];
    const reservationId = await reserve(hereId, ["Code-1", "CODE-1"]);
    expect(await askHere("cODE-1")).toMatchObject({ standing: S.UNKNOWN, isHeld: true, allowances: [] });
    expect(await askThere("CODE-1")).toMatchObject({ standing: S.UNKNOWN, isHeld: false });
    const name = createKeys(network.shared.keyPrefix).labelled("test", chain.participantId, "CODE-1");
    expect(await redis.client.pttl(name)).toBeLessThan(3_600_000);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    expect(await redis.client.pttl(name)).toBeGreaterThan(50 * 86_400_000);
    expect((await askHere("code-1")).standing).toBe(S.EXPECTED_HERE);
    await report(reservationId, DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED);
    await reserve(hereId, ["CODE-1"]);
    expect(await askHere("CODE-1")).toMatchObject({ standing: S.ENDED, endedState: ReservationState.COLLECTED, isHeld: true });
  });

  it("is expected here from Confirm on, with the allowances and PIN that Sync would give, until the parcel has left", async () => {
    const ask = await askerAt(hereId);
    const { agents } = network.clientFor(await network.agentSigner(chain, hereId));
    const reservationId = await reserve(hereId, ["CODE-1"]);
    expect(await ask("CODE-1")).toMatchObject({ standing: S.UNKNOWN, isHeld: true, allowances: [] });
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId, labelCodes: ["CODE-2", "CODE-3"] });
    await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
    expect(await ask("CODE-1")).toMatchObject({ standing: S.UNKNOWN, isHeld: false });
    for (const code of ["CODE-2", "code-3"]) {
      const { standing, allowances } = await ask(code);
      expect(standing).toBe(S.EXPECTED_HERE);
      expect(allowances).toEqual((await agents.sync({ siteId: hereId })).allowances);
      expect(allowances.map(({ act, pinHash }) => [act, pinHash.length])).toEqual([
        [Act.DEPOSIT, 0],
        [Act.COLLECT, 32],
      ]);
    }
    await report(reservationId, DeviceEventType.PARCEL_DEPOSITED);
    expect((await ask("CODE-2")).standing).toBe(S.EXPECTED_HERE);
    await report(reservationId, DeviceEventType.PARCEL_COLLECTED);
    expect(await ask("CODE-2")).toMatchObject({ standing: S.ENDED, endedState: ReservationState.COLLECTED, allowances: [] });
  });

  it("is elsewhere if it belongs to another site of the operator, of which only the name is told, in whatever region", async () => {
    const [askHere, askThere] = [await askerAt(hereId), await askerAt(thereId)];
    const reservationId = await confirmed(hereId, ["CODE-1"]);
    const place = { case: "siteId", value: thereId } as const;
    const reason = CancellationReason.REROUTED;
    await courier.client.reservations.redirect({
      requestId: randomUUID(),
      reservationId,
      place,
      reason,
      requirements: { anyCountry: true },
    });
    const { $typeName: _, ...answer } = await askHere("CODE-1");
    expect(answer).toEqual({
      standing: S.ELSEWHERE,
      allowances: [],
      otherSiteNames: ["Shop in another region"],
      endedState: ReservationState.UNSPECIFIED,
      isHeld: false,
    });
    expect((await askThere("CODE-1")).standing).toBe(S.EXPECTED_HERE);
  });

  it("is unknown if only other operators, or the other network, have it", async () => {
    const rival = await network.join("Rival", [Role.OPERATOR]);
    const [rivalSite = ""] = await network.putSites(rival, shop("Rival's shop", 1.3));
    const [liveChain, liveCourier] = [await network.withMode(chain, Mode.LIVE), await network.withMode(courier, Mode.LIVE)];
    const [liveSite = ""] = await network.putSites(liveChain, shop("Live shop", 1.3, false));
    await confirmed(rivalSite, ["CODE-1"]);
    await confirmed(liveSite, ["CODE-1"], liveCourier);
    expect((await (await askerAt(hereId))("CODE-1")).standing).toBe(S.UNKNOWN);
    expect((await (await askerAt(rivalSite, rival))("CODE-1")).standing).toBe(S.EXPECTED_HERE);
  });

  it("is told with the reservations that have it, but no more than 32", async () => {
    const crowded = await network.putSite(
      chain,
      makeSite({ latitude: 1.31, longitude: 103.8, ref: "crowded", classes: [["M", 400, 200, 500, 20_000, 40]] }),
    );
    const ids: string[] = [];
    for (let made = 0; made < 34; made += 1) ids.push(await confirmed(crowded, ["CODE-1"]));
    const { allowances } = await (await askerAt(crowded))("CODE-1");
    expect(allowances.length).toBe(32);
    expect(new Set(allowances.map(({ reservationId }) => reservationId)).size).toBe(32);
    expect(ids).toEqual(expect.arrayContaining(allowances.map(({ reservationId }) => reservationId)));
  });
});
