import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Act, DirectoryService, Mode, ParticipantService, ReservationService, SiteSchema } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorizationOf, origin, startWorld, type World } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import { type WireProtocol, wireProtocols } from "../wire/protocols.ts";

const redis = useRedis();
let world: World;

beforeAll(async () => {
  world = await startWorld(redis);
});
afterAll(() => world.stop());

type SiteInit = MessageInitShape<typeof SiteSchema>;
const sizeClass = { sizeClassId: "M", widthMm: 400, heightMm: 200, depthMm: 500, maxMassG: 20_000, installed: 2 };
const newYear = { year: 2027, month: 1, day: 1 };

/** Sites with a mistake that no schema rule of one field detects, and the field that the refusal names. */
const wrongSites: [what: string, field: string, SiteInit][] = [
  ["an unknown time zone", "sites[1].time_zone", { timeZone: "Mars/Olympus" }],
  ["a time zone that is an offset", "sites[1].time_zone", { timeZone: "+08:00" }],
  [
    "a 30th of February",
    "sites[1].opening_hours.exceptions[0].date",
    { openingHours: { exceptions: [{ date: { ...newYear, month: 2, day: 30 } }] } },
  ],
  ["a day twice", "sites[1].opening_hours.exceptions[1].date", { openingHours: { exceptions: [{ date: newYear }, { date: newYear }] } }],
  [
    "an end before its beginning",
    "sites[1].opening_hours.exceptions[0].open[0].close_minute",
    { openingHours: { exceptions: [{ date: newYear, open: [{ openMinute: 700, closeMinute: 600 }] }] } },
  ],
  [
    "weekly periods although it is always open",
    "sites[1].opening_hours",
    { openingHours: { alwaysOpen: true, weekly: [{ openDay: 1, closeDay: 1, closeMinute: 60 }] } },
  ],
  [
    "a weekly period that closes before it opens",
    "sites[1].opening_hours.weekly[0].close_minute",
    { openingHours: { weekly: [{ openDay: 1, openMinute: 1320, closeDay: 1, closeMinute: 120 }] } },
  ],
  [
    "a lowest place above the highest",
    "sites[1].size_classes[0].highest_centre_height_mm",
    { sizeClasses: [{ ...sizeClass, lowestCentreHeightMm: 900, highestCentreHeightMm: 800 }] },
  ],
  [
    "a door above its size class",
    "sites[1].compartments[1].centre_height_mm",
    {
      sizeClasses: [{ ...sizeClass, lowestCentreHeightMm: 300, highestCentreHeightMm: 800 }],
      compartments: [
        { compartmentId: "A1", sizeClassId: "M", centreHeightMm: 800 },
        { compartmentId: "A2", sizeClassId: "M", centreHeightMm: 801 },
      ],
    },
  ],
  ["a service twice", "sites[1].services", { services: [1, 1] }],
  ["no size class", "sites[1].size_classes", { sizeClasses: [] }],
  ["a size class twice", "sites[1].size_classes[1].size_class_id", { sizeClasses: [sizeClass, sizeClass] }],
  [
    "nine size classes",
    "sites[1].size_classes",
    { sizeClasses: Array.from({ length: 9 }, (_, n) => ({ ...sizeClass, sizeClassId: `${n}` })) },
  ],
  [
    "a door of an unknown size class",
    "sites[1].compartments[0].size_class_id",
    { sizeClasses: [sizeClass], compartments: [{ compartmentId: "A1", sizeClassId: "L" }] },
  ],
  [
    "a door twice",
    "sites[1].compartments[1].compartment_id",
    {
      sizeClasses: [sizeClass],
      compartments: [
        { compartmentId: "A1", sizeClassId: "M" },
        { compartmentId: "A1", sizeClassId: "M" },
      ],
    },
  ],
  [
    "fewer doors than places",
    "sites[1].size_classes[0].installed",
    { sizeClasses: [sizeClass], compartments: [{ compartmentId: "A1", sizeClassId: "M" }] },
  ],
  ["a reference twice", "sites[1].operator_site_ref", { operatorSiteRef: "first" }],
  ["a country in small letters", "sites[1].address.country_code", { address: { countryCode: "sg" } }],
  ["a photo that is not served over https", "sites[1].access.photo_url", { access: { photoUrl: "http://photos.example/1.jpg" } }],
  ["a purpose twice", "sites[1].purposes", { purposes: [1, 1] }],
];

async function refusalOf(protocol: WireProtocol, message: MessageInitShape<typeof DirectoryService.method.upsertSites.input>) {
  const authorization = await authorizationOf(world.operator);
  const answer = await world.raw.call(protocol, DirectoryService.method.upsertSites, message, { authorization, timeoutMs: 30_000 });
  const failure = readFailure(answer);
  return [failure?.reason, failure?.violations.map(({ field }) => field)];
}

function siteWith(ref: string, wrong: SiteInit = {}) {
  const { operatorSiteRef, name, kind, position, address, timeZone, openingHours, sizeClasses } = makeSite({ ...origin, ref });
  return create(SiteSchema, {
    ...{ operatorSiteRef, name, kind, position, address, timeZone, openingHours, sizeClasses, isTest: true },
    ...(wrong as object),
  });
}

describe("a site with", () => {
  it.each(wrongSites)("%s is refused, %s is named, and nothing is written", async (_what, field, wrong) => {
    const sites = [siteWith("first"), siteWith("second", wrong)];
    for (const validateOnly of [false, true]) {
      for (const protocol of wireProtocols) {
        expect([protocol, await refusalOf(protocol, { requestId: randomUUID(), sites, validateOnly })]).toEqual([
          protocol,
          ["INVALID_FIELD", [field]],
        ]);
      }
    }
    const found = await world.courier.client.directory.findNearest({
      origin,
      parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
      limit: 50,
    });
    expect(found.options.map(({ site }) => site?.name).filter((name) => name?.includes("first") || name?.includes("second"))).toEqual([]);
  });

  it("the other network's mode is refused, and the field is named", async () => {
    const sites = [siteWith("first"), siteWith("second", { isTest: false })];
    for (const protocol of wireProtocols) {
      expect(await refusalOf(protocol, { requestId: randomUUID(), sites })).toEqual(["MODE_MISMATCH", ["sites[1].is_test"]]);
    }
  });
});

describe("a request that contradicts itself", () => {
  it("is refused, and the field is named", async () => {
    const { reservationId } = await world.holdAndConfirm();
    const lowOrder = new Uint8Array(32);
    const { issueCredential } = ReservationService.method;
    const { registerKey, createPublishableKey } = ParticipantService.method;
    for (const protocol of wireProtocols) {
      const courier = { authorization: await authorizationOf(world.courier) };
      const live = { authorization: await authorizationOf(world.liveCourier) };
      const answers = [
        await world.raw.call(
          protocol,
          issueCredential,
          { requestId: randomUUID(), reservationId, act: Act.DEPOSIT, withPin: true },
          courier,
        ),
        await world.raw.call(protocol, registerKey, { requestId: randomUUID(), mode: Mode.TEST, publicKey: lowOrder }, courier),
        await world.raw.call(protocol, createPublishableKey, { requestId: randomUUID(), mode: Mode.LIVE, origins: ["*"] }, live),
      ];
      expect(answers.map((answer) => readFailure(answer)).map((failure) => [failure?.reason, failure?.violations[0]?.field])).toEqual([
        ["INVALID_FIELD", "with_pin"],
        ["INVALID_FIELD", "public_key"],
        ["INVALID_FIELD", "origins"],
      ]);
    }
  });
});
