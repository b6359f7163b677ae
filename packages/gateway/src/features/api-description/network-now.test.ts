import { expect, it } from "vitest";
import { type MappedSite, overviewOf } from "../open-directory/network-overview.ts";
import { networkNow } from "./network-now.ts";

const totals = { terminals: 2, collectionPoints: 0, operators: 1, sitesKnown: 1, placesFree: 4 };
const singapore: MappedSite = { latitude: 1.3, longitude: 103.8, countryCode: "SG", locality: "Singapore", free: 4 };
const shown = async (sites: readonly MappedSite[]) =>
  networkNow({ totals, overview: await overviewOf(sites), builtMs: 0 }, { licence: "CC-BY-4.0", publisher: "Rimba <b>" });

it("shows land, what is free, full and not known, and the countries by name", async () => {
  const page = await shown([
    singapore,
    { ...singapore, latitude: 13.7, longitude: 100.5, countryCode: "TH", free: 0 },
    { ...singapore, latitude: 14.6, longitude: 121, countryCode: "PH", free: undefined },
  ]);
  expect(page).toMatch(/<path class="land" d="M[-0-9 ]+L/);
  for (const [look, words] of [
    ["free", "1 site, 4 places free"],
    ["full", "1 site, 0 places free"],
    ["unknown", "1 site, free places not known"],
  ]) {
    expect(page).toMatch(new RegExp(`<g class="${look}"><circle [^>]+><title>${words}</title></circle></g>`));
  }
  expect(page).toContain("<bdi>Thailand</bdi></th><td>1</td><td>0</td>");
  expect(page).toContain("<bdi>Philippines</bdi></th><td>1</td><td>not known</td>");
  expect(page).not.toContain("NaN");
  expect(page).toContain("Open data under CC-BY-4.0. Source: Rimba &#60;b&#62;.");
});

it("draws no rough land behind one town, and takes an operator's words for text only", async () => {
  const page = await shown([singapore, { ...singapore, locality: '</table><script src="//x">', free: undefined }]);
  expect(page).not.toContain('class="land"');
  expect(page).not.toContain("<script");
  expect(page).toContain("&#60;/table&#62;&#60;script");
});

it("shows no map of no sites", async () => {
  expect(await shown([])).not.toContain("<svg");
});

it("has at most 300 kB, whatever the number of sites", async () => {
  const sites = Array.from({ length: 60_000 }, (_, index) => ({
    ...{ ...singapore, countryCode: ["SG", "TH", "PH"][index % 3] ?? "", locality: `Town ${index}` },
    ...{ latitude: 80 - (index % 150), longitude: ((index * 7.3) % 360) - 180, free: index % 5 },
  }));
  expect((await shown(sites)).length).toBeLessThan(300_000);
});
