import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createChoiceVerifier, createServiceClient } from "@petak/client";
import { choiceLifetimeMs } from "@petak/credential";
import {
  type CheckFitRequestSchema,
  DirectoryService,
  Mode,
  ParcelRequirement,
  PassedOverReason,
  PetakError,
  Purpose,
  type Reason,
  type ReserveRequestSchema,
  Role,
  reasonOf,
  SiteLifecycle,
  SiteService,
} from "@petak/protocol";
import { createFrozenClock, createRandom, type FrozenClock, type MoreFacts, makeSite, testSeed, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { repositoryDir } from "../examples/courier-examples.ts";
import { hasPhp } from "../examples/find-php.ts";
import { findPython } from "../examples/find-python.ts";
import { origin, parcel } from "../testing/world.ts";

const redis = useRedis();
const shopOrigin = "https://shop.example";
const minuteMs = 60_000;

let network: TestNetwork;
let clock: FrozenClock;
let operator: TestParticipant;
let merchant: TestParticipant;
let siteId: string;

beforeAll(async () => {
  clock = createFrozenClock(Date.now());
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  merchant = await network.join("Shop", [Role.MERCHANT]);
  return () => network.stop();
});
beforeEach(async () => {
  siteId = await addSite();
});

const addSite = (more: MoreFacts = {}, places = 2) =>
  network.putSite(operator, makeSite({ ...origin, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, places]] }, more));

async function check(asked: Omit<MessageInitShape<typeof CheckFitRequestSchema>, "$typeName"> = {}) {
  const { fits } = await merchant.client.directory.checkFit({ siteIds: [siteId], parcel, ...asked });
  const [fit] = fits;
  if (fit === undefined) throw new Error("no answer");
  return fit;
}

const choose = async () => (await check()).choice;

const reserveWith = (choice: string, more: Omit<MessageInitShape<typeof ReserveRequestSchema>, "$typeName"> = {}, by = merchant) =>
  by.client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel, choice, ...more });

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

const hold = async (bySiteId: string) =>
  merchant.client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: bySiteId }, parcel });

/** Calls of a page with a publishable key for one origin. */
async function openPage() {
  const asked = { requestId: randomUUID(), mode: Mode.TEST, origins: [shopOrigin] };
  const { publishableKey } = await merchant.client.participants.createPublishableKey(asked);
  const key = publishableKey?.publishableKey ?? "";
  const directory = createServiceClient(DirectoryService, { baseUrl: `http://127.0.0.1:${network.port}`, publishableKey: key });
  return { checkFrom: (webOrigin: string) => directory.checkFit({ siteIds: [siteId], parcel }, { headers: { origin: webOrigin } }) };
}

describe("CheckFit", () => {
  it("says for each site whether the parcel fits, or why not, and what is free", async () => {
    const closed = await addSite({ openingHours: { weekly: [] } });
    const full = await addSite({}, 1);
    await hold(full);
    const retired = await addSite();
    await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [retired] });
    const planned = await addSite({ lifecycle: SiteLifecycle.MAINTENANCE });
    const returns = await addSite({ purposes: [Purpose.RETURN] });
    const tiny = await addSite({
      sizeClasses: [{ sizeClassId: "S", widthMm: 50, heightMm: 50, depthMm: 50, maxMassG: 500, installed: 1 }],
    });
    const siteIds = [tiny, siteId, closed, full, retired, planned, returns];
    const requirements = { openAt: timestampFromMs(clock.now()) };
    const { fits, checkedAt } = await merchant.client.directory.checkFit({ siteIds, parcel, requirements });
    expect(fits.map(({ site, reason: why }) => [site?.siteId, why])).toEqual([
      [tiny, PassedOverReason.DOES_NOT_FIT],
      [siteId, PassedOverReason.UNSPECIFIED],
      [closed, PassedOverReason.CLOSED],
      [full, PassedOverReason.FULL],
      [retired, PassedOverReason.NOT_IN_SERVICE],
      [planned, PassedOverReason.NOT_IN_SERVICE],
      [returns, PassedOverReason.PURPOSE],
    ]);
    expect(fits.map((fit) => [fit.fits, fit.choice !== "", fit.choiceExpiresAt !== undefined])).toEqual(
      siteIds.map((id) => [id === siteId, id === siteId, id === siteId]),
    );
    expect(fits[1]).toMatchObject({ sizeClassId: "M", freeToPromise: 2, observedAt: checkedAt, ttl: { seconds: 60n } });
    expect(fits[1]?.site?.terms).toBeDefined();
    expect(checkedAt).toEqual(timestampFromMs(clock.now()));
  });

  it("names the requirement that a site does not meet, and judges an old report only if asked to", async () => {
    const needy = { ...parcel, requirements: [ParcelRequirement.ID_CHECK, ParcelRequirement.AGE_CHECK] };
    siteId = await addSite({ services: [SiteService.ID_CHECK] });
    expect(await check({ parcel: needy })).toMatchObject({
      reason: PassedOverReason.PARCEL_REQUIREMENT,
      missingRequirement: ParcelRequirement.AGE_CHECK,
    });
    const sizeClasses = [{ sizeClassId: "M", free: 1, occupied: 1, outOfService: 0 }];
    const observedAt = timestampFromMs(clock.now());
    await operator.client.directory.reportCapacity({ requestId: randomUUID(), sites: [{ siteId, observedAt, sizeClasses }] });
    expect(await check()).toMatchObject({ fits: true, freeToPromise: 1, observedAt: { seconds: observedAt.seconds } });
    clock.advance(5 * minuteMs);
    expect(await check()).toMatchObject({ fits: false, reason: PassedOverReason.UNKNOWN_AVAILABILITY, choice: "" });
    expect(await check({ includeUnknown: true })).toMatchObject({ fits: true, freeToPromise: 1 });
  });

  it("changes nothing, and knows of each hold at once", async () => {
    for (const free of [2, 1]) {
      for (let again = 0; again < 3; again++) expect((await check()).freeToPromise).toBe(free);
      await hold(siteId);
    }
    expect(await check()).toMatchObject({ fits: false, reason: PassedOverReason.FULL, freeToPromise: 0, sizeClassId: "" });
  });

  it("may be called by a page of the key's origin, for the key's owner, and by no other page", async () => {
    const { checkFrom } = await openPage();
    const { fits } = await checkFrom(shopOrigin);
    expect(await reason(reserveWith(fits[0]?.choice ?? ""))).toBe("accepted");
    expect(await reason(checkFrom("https://other.example"))).toBe("ORIGIN_NOT_ALLOWED");
  });

  it("agrees with Reserve about every site and parcel", async () => {
    const random = createRandom(testSeed());
    const seen = new Set<PassedOverReason>();
    for (let round = 0; round < 60; round++) {
      siteId = await addSite(
        {
          purposes: random.pick([[], [Purpose.DELIVERY], [Purpose.RETURN]]),
          services: random.pick([[], [SiteService.AGE_CHECK]]),
          access: { stepFree: random.bool() },
          lifecycle: random.bool(0.9) ? SiteLifecycle.ACTIVE : SiteLifecycle.MAINTENANCE,
        },
        1,
      );
      if (random.bool(0.2)) await reason(hold(siteId));
      const asked = {
        parcel: { ...parcel, widthMm: random.pick([300, 450]), requirements: random.bool(0.2) ? [ParcelRequirement.AGE_CHECK] : [] },
        purpose: random.pick([Purpose.UNSPECIFIED, Purpose.DELIVERY, Purpose.RETURN]),
        requirements: { stepFree: random.bool(0.3) },
      };
      const fit = await check(asked);
      seen.add(fit.reason);
      expect(await reason(reserveWith(fit.choice, asked)), JSON.stringify({ round, asked })).toBe(reserveReasons[fit.reason] ?? "accepted");
    }
    expect(seen.size).toBeGreaterThan(3);
  });
});

/** The reason of Reserve for each reason of CheckFit. */
const reserveReasons: Partial<Record<PassedOverReason, Reason>> = {
  [PassedOverReason.NOT_IN_SERVICE]: "SITE_NOT_ACCEPTING",
  [PassedOverReason.PURPOSE]: "SITE_NOT_ACCEPTING",
  [PassedOverReason.PARCEL_REQUIREMENT]: "PARCEL_REQUIREMENT_UNMET",
  [PassedOverReason.STEP_FREE]: "SITE_REQUIREMENT_UNMET",
  [PassedOverReason.DOES_NOT_FIT]: "PARCEL_DOES_NOT_FIT",
  [PassedOverReason.FULL]: "NO_PLACE_FREE",
};

describe("Reserve with a choice", () => {
  it("accepts it for 15 minutes, and a repeated request gets its reservation afterwards", async () => {
    const choice = await choose();
    clock.advance(choiceLifetimeMs - 1000);
    const requestId = randomUUID();
    const { reservation } = await reserveWith(choice, { requestId });
    clock.advance(1000);
    expect((await reserveWith(choice, { requestId })).reservation?.reservationId).toBe(reservation?.reservationId);
    expect(await reason(reserveWith(choice))).toBe("CHOICE_EXPIRED");
    expect((await check()).freeToPromise).toBe(1);
  });

  it("refuses it for another site, parcel or purpose, near a point, altered, and from another participant", async () => {
    const choice = await choose();
    const elsewhere = await addSite();
    expect(await reason(reserveWith(choice, { place: { case: "siteId", value: elsewhere } }))).toBe("CHOICE_MISMATCH");
    expect(await reason(reserveWith(choice, { place: { case: "nearest", value: { origin } } }))).toBe("CHOICE_MISMATCH");
    expect(await reason(reserveWith(choice, { parcel: { ...parcel, massG: 1 } }))).toBe("CHOICE_MISMATCH");
    expect(await reason(reserveWith(choice, { purpose: Purpose.RETURN }))).toBe("CHOICE_MISMATCH");
    expect(await reason(reserveWith(`${choice.slice(0, -4)}AAAA`))).toBe("CHOICE_INVALID");
    const other = await network.join("Other shop", [Role.MERCHANT]);
    expect(await reason(reserveWith(choice, {}, other))).toBe("CHOICE_MISMATCH");
    const { widthMm, heightMm, depthMm } = parcel;
    const turned = { ...parcel, widthMm: depthMm, heightMm: widthMm, depthMm: heightMm };
    expect(await reason(reserveWith(choice, { parcel: turned }))).toBe("accepted");
  });

  it("checks again what was chosen: the place may be gone", async () => {
    siteId = await addSite({}, 1);
    const choice = await choose();
    await hold(siteId);
    expect(await reason(reserveWith(choice))).toBe("NO_PLACE_FREE");
    await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [siteId], liveReservations: 2 });
    expect(await reason(reserveWith(choice))).toBe("SITE_NOT_ACCEPTING");
  });
});

describe("a shop's server", () => {
  /** A program prints what a choice says, and refuses what is none. */
  async function isVerifiedBy(program: string, ...args: readonly string[]): Promise<void> {
    const choice = await choose();
    const verify = (text: string, participantId = merchant.participantId) =>
      new Promise<string>((resolve) => {
        const all = [...args, text, `http://127.0.0.1:${network.port}`, participantId];
        execFile(program, all, (_error, stdout, stderr) => resolve(stdout + stderr));
      });
    const sides = [parcel.widthMm, parcel.heightMm, parcel.depthMm].sort((a, b) => a - b);
    expect(JSON.parse(await verify(choice))).toMatchObject({ sub: siteId, sides_mm: sides, mass_g: parcel.massG, purpose: "DELIVERY" });
    expect(await verify(`${choice.slice(0, -4)}AAAA`)).toMatch(/^refused: /);
    expect(await verify(choice, operator.participantId)).toMatch(/^refused: /);
    const [, claims = ""] = choice.split(".");
    const receipt = Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "petak-receipt", kid: "Xy3_" })).toString("base64url");
    expect(await verify(`${receipt}.${claims}.AAAA`)).toBe("refused: it is not a choice\n");
  }

  it("verifies a choice by the keys that the gateway publishes", async () => {
    const verifier = createChoiceVerifier({
      baseUrl: `http://127.0.0.1:${network.port}/`,
      participantId: merchant.participantId,
      now: clock.now,
    });
    const wanted = { siteId, parcel: { ...parcel, requirements: [] } };
    const choice = await choose();
    expect(await verifier.verify(choice, wanted)).toMatchObject({ siteId, sizeClassId: "M", purpose: Purpose.DELIVERY });
    const refused = (text: string, more = {}) =>
      verifier.verify(text, { ...wanted, ...more }).catch((error) => (error instanceof PetakError ? error.reason : error));
    expect(await refused(choice.replace(".", "_"))).toBe("CHOICE_INVALID");
    expect(await refused("")).toBe("CHOICE_INVALID");
    expect(await refused(choice, { siteId: "site_83652b_k3v9c0x2md00zzzz" })).toBe("CHOICE_MISMATCH");
    clock.advance(choiceLifetimeMs);
    expect(await refused(choice)).toBe("CHOICE_EXPIRED");
  });

  it("verifies it in Python, by the example", async ({ skip }) => {
    const python = await findPython("jwt, cryptography");
    skip(python === undefined, "no Python here has jwt and cryptography (Debian: python3-jwt python3-cryptography)");
    await isVerifiedBy(python ?? "python3", "-B", join(repositoryDir, "examples/shop-python/verify_choice.py"));
  });

  it("verifies it in PHP, by the example", async ({ skip }) => {
    skip(!(await hasPhp("sodium")), "there is no PHP here with sodium (Debian: php-cli)");
    await isVerifiedBy("php", join(repositoryDir, "examples/shop-php/verify_choice.php"));
  });

  it("hears that the gateway's keys cannot be read, and reads them again the next time", async () => {
    let isBroken = true;
    const verifier = createChoiceVerifier({
      baseUrl: `http://127.0.0.1:${network.port}`,
      participantId: merchant.participantId,
      now: clock.now,
      fetch: (input, init) => (isBroken ? Promise.resolve(new Response("", { status: 502 })) : fetch(input, init)),
    });
    const choice = await choose();
    await expect(verifier.verify(choice)).rejects.toThrow(/cannot read the issuer keys at .*: the status is 502/);
    isBroken = false;
    expect(await verifier.verify(choice)).toMatchObject({ siteId });
  });
});

describe("FindNearest with passed_over_limit", () => {
  it("names the nearest sites that are not offered, each with its reason and the age of what is known", async () => {
    const far = { latitude: -33.9, longitude: 151.2 };
    const put = (steps: number, more: MoreFacts, places = 1) =>
      network.putSite(
        operator,
        makeSite(
          {
            latitude: far.latitude + steps / 1000,
            longitude: far.longitude,
            ref: randomUUID(),
            classes: [["M", 400, 200, 500, 20_000, places]],
          },
          more,
        ),
      );
    const full = await put(0, {});
    await hold(full);
    const offered = await put(1, {});
    const closed = await put(2, { openingHours: { weekly: [] } });
    const returns = await put(3, { purposes: [Purpose.RETURN] });
    const requirements = { openAt: timestampFromMs(clock.now()), anyCountry: true };
    const find = async (passedOverLimit: number) =>
      await merchant.client.directory.findNearest({ origin: far, radiusM: 10_000, parcel, requirements, passedOverLimit });
    const { options, passedOver } = await find(20);
    expect(options.map(({ site }) => site?.siteId)).toEqual([offered]);
    expect(passedOver?.sites.map(({ site, reason: why }) => [site?.siteId, why])).toEqual([
      [full, PassedOverReason.FULL],
      [closed, PassedOverReason.CLOSED],
      [returns, PassedOverReason.PURPOSE],
    ]);
    expect(passedOver?.sites[1]).toMatchObject({ site: { name: expect.any(String), terms: {} }, ttl: { seconds: 60n } });
    expect(passedOver?.sites[1]?.distanceM).toBe(222.39);
    expect(passedOver?.countedAt).toEqual(passedOver?.sites[0]?.observedAt);
    expect((await find(2)).passedOver).toMatchObject({ sites: passedOver?.sites.slice(0, 2), counts: passedOver?.counts });
    expect((await find(0)).passedOver).toBeUndefined();
  });
});
