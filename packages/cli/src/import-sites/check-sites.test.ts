import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SiteKind, SiteService } from "@petak/protocol";
import { tempDir } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import type { CheckedSite, SiteSettings } from "./build-site.ts";
import { checkSites, noFacts } from "./check-sites.ts";
import { defaultMix } from "./compartments.ts";
import { openSites } from "./open-source.ts";
import type { Refusal } from "./refusal.ts";

const settings: SiteSettings = {
  siteKind: SiteKind.PARCEL_TERMINAL,
  isTest: true,
  countryCode: "SG",
  mixFor: defaultMix,
  hoursFor: () => ({ alwaysOpen: true }),
  trustCoordinates: false,
};

async function check(csv: string, changes: Partial<SiteSettings> = {}) {
  const path = join(await tempDir(), "list.csv");
  await writeFile(path, csv);
  const { source } = await openSites(path, undefined, { columns: new Map(), nameTemplate: undefined, delimiter: undefined, nowMs: 0 });
  const facts = noFacts();
  const results = await Array.fromAsync(checkSites(source, { ...settings, ...changes }, facts));
  const sites = results.filter((result): result is CheckedSite => result.kind === "site");
  const refusals = results.filter((result): result is Refusal => result.kind === "refusal");
  return { facts, sites, refusals };
}

test("a valid row becomes a complete site", async () => {
  const { sites } = await check("id,name,address,postcode,city,lat,lng\nA1,Shop,1 Test Road,123456,Singapore,1.35,103.82\n");
  expect(sites).toMatchObject([
    {
      row: 1,
      line: 2,
      site: {
        operatorSiteRef: "A1",
        kind: SiteKind.PARCEL_TERMINAL,
        name: "Shop",
        position: { latitude: 1.35, longitude: 103.82 },
        address: { countryCode: "SG", locality: "Singapore", postalCode: "123456", lines: ["1 Test Road"] },
        timeZone: "Asia/Singapore",
        openingHours: { alwaysOpen: true },
        isTest: true,
      },
    },
  ]);
});

test("a store gets the services of the import", async () => {
  const services = [SiteService.AGE_CHECK, SiteService.CASH_ON_DELIVERY];
  const { sites } = await check("id,name,lat,lng\nA1,Shop,1.35,103.82\n", { siteKind: SiteKind.COLLECTION_POINT, services });
  expect(sites).toMatchObject([{ site: { kind: SiteKind.COLLECTION_POINT, services } }]);
});

describe("a bad row is refused with its line and the reason", () => {
  test.each<[string, string, string, RegExp]>([
    ["no latitude", "A,,103.8", "no-position", /the latitude is empty/],
    ["a latitude that is no angle", "A,north,103.8", "unreadable-position", /"north" is no angle/],
    ["a longitude out of range", "A,1.35,200", "out-of-range", /longitude 200 is outside/],
    [
      "latitude and longitude swapped, out of range",
      "A,103.82,1.35",
      "swapped",
      /latitude 103.82 is outside -90 to 90 degrees.*look swapped/,
    ],
    ["latitude and longitude swapped, by the letters", "A,103.82E,1.35N", "swapped", /says E, which is a longitude/],
    ["zero, zero", "A,0,0.0", "null-island", /Gulf of Guinea/],
    ["no name", ",1.35,103.82", "no-name", /no name/],
    ["a name that is too long", `${"x".repeat(121)},1.35,103.82`, "invalid-field", /name: .*120/],
  ])("%s", async (_, row, reason, message) => {
    const { sites, refusals } = await check(`name,lat,lng\nGood,1.35,103.82\n${row}\n`);
    expect(refusals).toMatchObject([{ row: 2, line: 3, reason, message: expect.stringMatching(message) }]);
    expect(sites).toHaveLength(1);
  });

  test("a position that lies in its country only the other way round looks swapped, unless it is trusted", async () => {
    const csv = "name,lat,lng\nShop,12.33,51.33\n";
    expect((await check(csv, { countryCode: "DE" })).refusals).toMatchObject([
      { reason: "swapped", message: expect.stringMatching(/--trust-coordinates/) },
    ]);
    const trusted = await check(csv, { countryCode: "DE", trustCoordinates: true });
    expect(trusted.refusals).toEqual([]);
    expect(trusted.sites[0]?.site.position).toMatchObject({ latitude: 12.33, longitude: 51.33 });
    expect(trusted.facts).toMatchObject({ outsideCountry: 1, outsideCountryLines: [2] });
  });

  test("a duplicate reference, with its first place", async () => {
    const { sites, refusals } = await check("id,name,lat,lng\nA,One,1.35,103.82\nB,Two,1.36,103.82\nA,Three,1.37,103.82\n");
    expect(sites.map(({ site }) => site.name)).toEqual(["One", "Two"]);
    expect(refusals).toMatchObject([
      {
        row: 3,
        line: 4,
        reason: "duplicate-reference",
        message: 'the reference "A" stands in row 1, line 2, already',
        reference: "A",
        name: "Three",
      },
    ]);
  });

  test("an unknown or missing country", async () => {
    const { refusals, sites } = await check("name,country,lat,lng\nA,Atlantis,1.35,103.82\nB,,1.35,103.82\nC,singapore,1.35,103.82\n", {
      countryCode: undefined,
    });
    expect(refusals.map(({ reason }) => reason)).toEqual(["unknown-country", "no-country"]);
    expect(sites[0]?.site.address?.countryCode).toBe("SG");
  });
});

test("shared positions are allowed and counted", async () => {
  const { facts, sites } = await check(
    "id,name,lat,lng\nA,One,1.35,103.82\nB,Two,1.35,103.82\nC,Three,1.350001,103.82\nD,Four,1.36,103.82\n",
  );
  expect(sites).toHaveLength(4);
  expect(facts).toMatchObject({ rows: 4, sharedPositions: 2 });
});

test("a reference that is not there is made of name and position, the same in every run and wherever the row stands", async () => {
  const first = await check("name,lat,lng\nOne,1.35,103.82\nTwo,1.36,103.82\n");
  const second = await check("lng,name,lat\n103.82,Two,1.36\n103.820,One,1.350\n");
  const refs = ({ sites }: typeof first) => new Map(sites.map(({ site }) => [site.name, site.operatorSiteRef]));
  expect(refs(first)).toEqual(new Map([...refs(second)].reverse()));
  expect(refs(first).get("One")).toMatch(/^imp-[0-9a-f]{20}$/);
  const doubled = await check("name,lat,lng\nOne,1.35,103.82\nOne,1.35,103.82\n");
  expect(doubled.refusals).toMatchObject([{ reason: "duplicate-reference", line: 3 }]);
});

test("a long address is broken into lines at its commas, and a made-up name is shortened", async () => {
  const address = Array.from({ length: 12 }, (_, index) => `part ${index} of a very long address`).join(", ");
  const { sites } = await check(`address,lat,lng\n"${address}",1.35,103.82\n`);
  const lines = sites[0]?.site.address?.lines ?? [];
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.join(" ")).toBe(address);
  expect(sites[0]?.site.name).toHaveLength(120);
  expect(sites[0]?.site.name.endsWith("…")).toBe(true);
});
