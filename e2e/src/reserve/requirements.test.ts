import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  DayOfWeek,
  fromConnectError,
  Mode,
  ParcelRequirement,
  PassedOverReason,
  Purpose,
  Role,
  SiteKind,
  type SiteRequirementsSchema,
  SiteService,
} from "@petak/protocol";
import { type MoreFacts, makeSite, type SiteFacts, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

type Requirements = MessageInitShape<typeof SiteRequirementsSchema>;

const redis = useRedis();
const measures = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
/** The two sides of the strait between Johor and Singapore, and the open sea. */
const johor = { latitude: 1.4585, longitude: 103.764 };
const singapore = { latitude: 1.4469, longitude: 103.769 };
const highSea = { latitude: 0, longitude: -140 };
const place = { sizeClassId: "M", widthMm: 400, heightMm: 200, depthMm: 500, maxMassG: 20_000, installed: 4 };

let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let made: number;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  made = 0;
  return () => network.stop();
});

async function addSite(more: MoreFacts = {}, facts: Partial<SiteFacts> = {}): Promise<string> {
  made += 1;
  return await network.putSite(operator, makeSite({ ...singapore, ref: `site-${made}`, ...facts }, more));
}

async function find(requirements: Requirements, needs: ParcelRequirement[] = [], origin = singapore): Promise<(string | undefined)[]> {
  const parcel = { ...measures, requirements: needs };
  const { options } = await courier.client.directory.findNearest({ origin, parcel, requirements });
  return options.map(({ site }) => site?.siteId);
}

/** Reserves. Returns the site, or the reason and detail of the error. */
async function reserve(
  where: string | { latitude: number; longitude: number },
  requirements: Requirements,
  needs: ParcelRequirement[] = [],
): Promise<string> {
  const target =
    typeof where === "string" ? ({ case: "siteId", value: where } as const) : ({ case: "nearest", value: { origin: where } } as const);
  const isPaidFor = needs.includes(ParcelRequirement.CASH_ON_DELIVERY);
  const parcel = { ...measures, requirements: needs, ...(isPaidFor && { cashDue: { currencyCode: "SGD", units: 5n } }) };
  try {
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place: target, parcel, requirements });
    return reservation?.siteId ?? "";
  } catch (error) {
    const failure = error instanceof ConnectError ? fromConnectError(error) : undefined;
    if (failure === undefined) throw error;
    const fields = failure.fieldViolations.map(({ field }) => field);
    return [failure.reason, failure.metadata.requirement, ...fields].filter((part) => part !== undefined).join(" ");
  }
}

const at = (time: string) => timestampFromDate(new Date(time));
const day = (openDay: DayOfWeek, openMinute: number, closeMinute: number, closeDay = openDay) => ({
  openDay,
  openMinute,
  closeDay,
  closeMinute,
});

describe("a site that does not meet a requirement", () => {
  const sited: [name: string, requirement: string, Requirements, lacking: MoreFacts, having: MoreFacts][] = [
    ["a way without steps", "STEP_FREE", { stepFree: true }, {}, { access: { stepFree: true } }],
    ["payment by card", "CARD_PAYMENT", { cardPayment: true }, {}, { equipment: { cardPayment: true } }],
    ["a cooled place", "REFRIGERATED", { refrigerated: true }, {}, { sizeClasses: [{ ...place, refrigerated: true }] }],
    ["a country", "COUNTRY", { countryCodes: ["MY"] }, { address: { countryCode: "SG" } }, { address: { countryCode: "MY" } }],
    [
      "a compartment within everybody's reach, whichever opens",
      "COMPARTMENT_HEIGHT",
      { accessible: true },
      { sizeClasses: [{ ...place, lowestCentreHeightMm: 380, highestCentreHeightMm: 1221 }] },
      { sizeClasses: [{ ...place, lowestCentreHeightMm: 380, highestCentreHeightMm: 1220 }] },
    ],
    [
      "a compartment that is not too low",
      "COMPARTMENT_HEIGHT",
      { minCentreHeightMm: 600 },
      { sizeClasses: [{ ...place, lowestCentreHeightMm: 0, highestCentreHeightMm: 900 }] },
      { sizeClasses: [{ ...place, lowestCentreHeightMm: 600, highestCentreHeightMm: 0 }] },
    ],
    [
      "an instant at which it is open, on the night from Friday",
      "CLOSED",
      { openAt: at("2026-11-07T01:30+08:00") },
      { openingHours: { weekly: [day(DayOfWeek.FRIDAY, 1320, 60, DayOfWeek.SATURDAY)] } },
      { openingHours: { weekly: [day(DayOfWeek.FRIDAY, 1320, 120, DayOfWeek.SATURDAY)] } },
    ],
    [
      "four open hours within a day",
      "CLOSED",
      { openWithin: { from: at("2026-11-05T12:00+08:00"), to: at("2026-11-06T12:00+08:00"), atLeast: { seconds: 4n * 3600n } } },
      { openingHours: { alwaysOpen: true, exceptions: [5, 6].map((date) => ({ date: { year: 2026, month: 11, day: date } })) } },
      { openingHours: { weekly: [day(DayOfWeek.THURSDAY, 600, 840), day(DayOfWeek.FRIDAY, 480, 600)] } },
    ],
  ];
  it.each(sited)("(%s) is neither offered nor reserved: %s", async (_name, requirement, requirements, lacking, having) => {
    const without = await addSite(lacking);
    const asked = { anyCountry: requirements.countryCodes === undefined, ...requirements };
    expect(await find(asked)).toEqual([]);
    expect(await reserve(singapore, asked)).toBe("NO_PLACE_FREE");
    expect(await reserve(without, asked)).toBe(`SITE_REQUIREMENT_UNMET ${requirement}`);
    const suitable = await addSite(having);
    expect(await find(asked)).toEqual([suitable]);
    expect(await reserve(singapore, asked)).toBe(suitable);
    expect(await reserve(suitable, asked)).toBe(suitable);
  });

  const needs: [keyof typeof ParcelRequirement, ParcelRequirement, MoreFacts][] = [
    ["AGE_CHECK", ParcelRequirement.AGE_CHECK, { services: [SiteService.AGE_CHECK] }],
    ["ID_CHECK", ParcelRequirement.ID_CHECK, { services: [SiteService.ID_CHECK, SiteService.AGE_CHECK] }],
    ["CASH_ON_DELIVERY", ParcelRequirement.CASH_ON_DELIVERY, { services: [SiteService.CASH_ON_DELIVERY] }],
    ["DANGEROUS_GOODS", ParcelRequirement.DANGEROUS_GOODS, { services: [SiteService.DANGEROUS_GOODS] }],
    ["PERSONAL_COLLECTION", ParcelRequirement.PERSONAL_COLLECTION, { services: [SiteService.PERSONAL_COLLECTION] }],
    ["NO_LOCKER", ParcelRequirement.NO_LOCKER, { kind: SiteKind.COLLECTION_POINT }],
  ];
  it.each(needs)("(%s of the parcel) is neither offered nor reserved", async (name, requirement, having) => {
    const without = await addSite();
    expect(await find({}, [requirement])).toEqual([]);
    expect(await reserve(singapore, {}, [requirement])).toBe("NO_PLACE_FREE");
    expect(await reserve(without, {}, [requirement])).toBe(`PARCEL_REQUIREMENT_UNMET ${name}`);
    const suitable = await addSite(having);
    expect(await find({}, [requirement])).toEqual([suitable]);
    expect(await reserve(singapore, {}, [requirement])).toBe(suitable);
    expect(await reserve(suitable, {}, [requirement])).toBe(suitable);
  });

  it("does not change the response that an earlier request got", async () => {
    const siteId = await addSite({ access: { stepFree: true } });
    const request = {
      requestId: randomUUID(),
      place: { case: "nearest", value: { origin: singapore } },
      parcel: measures,
      requirements: { stepFree: true },
    } as const;
    const { reservation } = await courier.client.reservations.reserve(request);
    made -= 1;
    expect(await addSite({ access: { stepFree: false } })).toBe(siteId);
    expect((await courier.client.reservations.reserve(request)).reservation).toEqual(reservation);
    expect(await reserve(siteId, { stepFree: true })).toBe("SITE_REQUIREMENT_UNMET STEP_FREE");
  });

  it("is offered with the size class that meets it, if only one does", async () => {
    await addSite({ sizeClasses: [place, { ...place, sizeClassId: "COLD", widthMm: 800, refrigerated: true }] });
    const { options } = await courier.client.directory.findNearest({
      origin: singapore,
      parcel: measures,
      requirements: { refrigerated: true },
    });
    expect(options.map(({ sizeClassId }) => sizeClassId)).toEqual(["COLD"]);
  });
});

describe("a site across a strait", () => {
  it("is offered and reserved only if the request permits its country", async () => {
    const inJohor = await addSite({ address: { countryCode: "MY" } }, johor);
    const inSingapore = await addSite();
    expect([await find({}, [], johor), await find({}, [], singapore)]).toEqual([[inJohor], [inSingapore]]);
    expect(await find({ countryCodes: ["MY"] }, [], singapore)).toEqual([inJohor]);
    expect(await find({ countryCodes: ["MY", "SG"] }, [], singapore)).toEqual([inSingapore, inJohor]);
    expect(await find({ anyCountry: true }, [], johor)).toEqual([inJohor, inSingapore]);
    expect(await find({ countryCodes: ["ID"] }, [], singapore)).toEqual([]);
    // On the open sea, no country can be derived from the position.
    expect((await find({}, [], highSea)).sort()).toEqual([inJohor, inSingapore].sort());
    expect([await reserve(johor, {}), await reserve(singapore, {})]).toEqual([inJohor, inSingapore]);
    // A request that names the site permits its country.
    expect(await reserve(inJohor, {})).toBe(inJohor);
  });

  it("is not offered instead of a full one", async () => {
    const inSingapore = await addSite({ sizeClasses: [{ ...place, installed: 1 }] });
    await addSite({ address: { countryCode: "MY" } }, johor);
    expect(await reserve(singapore, {})).toBe(inSingapore);
    expect([await find({}), await reserve(singapore, {})]).toEqual([[], "NO_PLACE_FREE"]);
  });
});

describe("the count of sites passed over", () => {
  const ask = { origin: singapore, parcel: measures };

  it("is given on request, with each site's first reason, up to the distance of the farthest option", async () => {
    await addSite({ sizeClasses: [{ ...place, installed: 1 }] });
    expect(await reserve(singapore, {})).not.toBe("");
    await addSite({ purposes: [Purpose.RETURN], access: { stepFree: false } });
    await addSite({ openingHours: { weekly: [] } });
    await addSite({ openingHours: { weekly: [] }, address: { countryCode: "MY" } });
    await addSite({ sizeClasses: [{ ...place, widthMm: 20 }] });
    const found = await addSite({}, { latitude: singapore.latitude + 0.001 });
    await addSite({ openingHours: { weekly: [] } }, { latitude: singapore.latitude + 0.002 });
    const requirements = { openAt: at("2026-11-05T12:00+08:00") };
    const near = await courier.client.directory.findNearest({ ...ask, requirements, limit: 1, countPassedOver: true });
    expect(near.options.map(({ site }) => site?.siteId)).toEqual([found]);
    const counted = (passed: typeof near.passedOver) => passed?.counts.map(({ reason, sites }) => [reason, sites]);
    expect(near.passedOver?.withinM).toBe(near.options[0]?.distanceM);
    expect(counted(near.passedOver)).toEqual([
      [PassedOverReason.PURPOSE, 1],
      [PassedOverReason.COUNTRY, 1],
      [PassedOverReason.DOES_NOT_FIT, 1],
      [PassedOverReason.CLOSED, 1],
      [PassedOverReason.FULL, 1],
    ]);
    const wide = await courier.client.directory.findNearest({ ...ask, requirements, radiusM: 400, countPassedOver: true });
    expect(wide.passedOver?.withinM).toBe(400);
    expect(counted(wide.passedOver)?.find(([reason]) => reason === PassedOverReason.CLOSED)).toEqual([PassedOverReason.CLOSED, 2]);
    const everywhere = await courier.client.directory.findNearest({ ...ask, requirements, countPassedOver: true });
    expect(everywhere.passedOver?.withinM).toBe(50_000);
  });

  it("is omitted if it was not requested, and does not include the other network", async () => {
    await addSite({ openingHours: { weekly: [] } });
    const requirements = { openAt: at("2026-11-05T12:00+08:00") };
    expect((await courier.client.directory.findNearest({ ...ask, requirements })).passedOver).toBeUndefined();
    const live = await network.join("Live courier", [Role.COURIER], Mode.LIVE);
    const { passedOver } = await live.client.directory.findNearest({ ...ask, requirements, countPassedOver: true });
    expect(passedOver?.counts).toEqual([]);
  });
});

describe("requirements that contradict each other", () => {
  const from = at("2026-11-05T12:00Z");
  const wrong: [what: string, Requirements, field: string][] = [
    ["any country and one", { anyCountry: true, countryCodes: ["SG"] }, "requirements"],
    ["an invalid country", { countryCodes: ["sg"] }, "requirements.country_codes[0]"],
    ["a greatest height below the least", { minCentreHeightMm: 900, maxCentreHeightMm: 800 }, "requirements"],
    [
      "a window that ends before it begins",
      { openWithin: { from, to: at("2026-11-05T11:00Z"), atLeast: { seconds: 1n } } },
      "requirements.open_within",
    ],
    ["a window of 32 days", { openWithin: { from, to: at("2026-12-07T12:00Z"), atLeast: { seconds: 1n } } }, "requirements.open_within"],
    [
      "more hours than the window has",
      { openWithin: { from, to: at("2026-11-05T13:00Z"), atLeast: { seconds: 3601n } } },
      "requirements.open_within",
    ],
    ["a window without an end", { openWithin: { from, atLeast: { seconds: 1n } } }, "requirements.open_within.to"],
  ];
  it.each(wrong)("are refused: %s", async (_what, requirements, field) => {
    expect(await reserve(singapore, requirements)).toBe(`INVALID_FIELD ${field}`);
  });
});
