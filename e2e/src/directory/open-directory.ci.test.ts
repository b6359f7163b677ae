import { randomUUID } from "node:crypto";
import { Mode, Role, SiteLifecycle } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const position = { latitude: 1.3, longitude: 103.8 };
const markup = '</script><img src=x onerror="alert(1)">';
let network: TestNetwork;
let operator: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({
    redis,
    // The files of one test are made once.
    now: createFrozenClock(Date.now()).now,
    openDirectoryLicence: "CC-BY-4.0",
    openDirectoryPublisher: "Rimba",
    openDirectorySitePage: "https://rimba.example/{site_id}",
  });
  operator = await network.withMode(await network.join("Rimba Lockers", [Role.OPERATOR]), Mode.LIVE);
  await network.putSites(
    operator,
    makeSite({ ...position, ref: "a", isTest: false }, { name: markup, access: { stepFree: true }, services: [1] }),
    makeSite({ ...position, latitude: 13.7, longitude: 100.5, ref: "b", isTest: false }, { lifecycle: SiteLifecycle.MAINTENANCE }),
  );
  await operator.client.participants.setOperatorLinks({ requestId: randomUUID(), links: { websiteUrl: "https://rimba.example" } });
  return () => network.stop();
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(new URL(path, `${network.baseUrl}/feed/v1/`), { method, headers });
const read = async (path: string) => (await (await get(path)).json()) as never;

/** Checks against a schema that allows no other members than it names, which the published ones do. */
async function isValid(path: string, schemaPath: string): Promise<unknown> {
  const ajv = new Ajv2020.default({ strict: true, keywords: ["x-extensible-enum"] });
  addFormats.default(ajv);
  const text = JSON.stringify(await read(schemaPath)).replaceAll('"type":"object",', '"type":"object","unevaluatedProperties":false,');
  const validate = ajv.compile(JSON.parse(text));
  validate(await read(path));
  return validate.errors;
}

interface ManifestFile {
  name: string;
  url: string;
  schema_url: string;
}

describe("the open directory over HTTP", () => {
  it("is found from its manifest, and each file is valid by its schema", async () => {
    const { data } = (await read("manifest.json")) as { data: { licence: object; publisher: string; files: ManifestFile[] } };
    expect(data.licence).toEqual({ id: "CC-BY-4.0", url: "https://spdx.org/licenses/CC-BY-4.0.html" });
    expect(await isValid("manifest.json", "schemas/manifest.schema.json")).toBeNull();
    expect(data.files.map(({ name }) => name)).toEqual(["sites", "availability", "sites_geojson"]);
    for (const { url, schema_url } of data.files.slice(0, 2)) expect([url, await isValid(url, schema_url)]).toEqual([url, null]);
  });

  it("says the same as the calls of the protocol", async () => {
    const { data } = (await read("sites.json")) as {
      data: { sites: { site_id: string; name: string; page_url: string }[]; operators: object[] };
    };
    const first = data.sites.find(({ name }) => name === markup);
    expect(first?.page_url).toBe(`https://rimba.example/${first?.site_id}`);
    expect(data.operators).toEqual([
      { operator_id: operator.participantId, display_name: "Rimba Lockers", links: { website_url: "https://rimba.example" } },
    ]);
    const { availabilities } = await operator.client.directory.getAvailability({ siteIds: data.sites.map(({ site_id }) => site_id) });
    const free = (await read("availability.json")) as { data: { availabilities: { site_id: string; accepting_deposits?: boolean }[] } };
    expect(free.data.availabilities.map(({ site_id, accepting_deposits = false }) => [site_id, accepting_deposits])).toEqual(
      availabilities.map(({ siteId, acceptingDeposits }) => [siteId, acceptingDeposits]),
    );
  });

  it("is GeoJSON for programs that show maps", async () => {
    const response = await get("sites.geojson");
    expect(response.headers.get("content-type")).toBe("application/geo+json");
    const { type, features } = (await response.json()) as { type: string; features: { properties: { name: string } }[] };
    expect([type, features.length]).toEqual(["FeatureCollection", 2]);
    expect(features.find(({ properties }) => properties.name === markup)).toMatchObject({
      type: "Feature",
      geometry: { type: "Point", coordinates: [103.8, 1.3] },
      properties: { name: markup, opening_hours: "24/7", operator_name: "Rimba Lockers", places: 4, step_free: true },
    });
  });

  it("is not sent again to whoever has it, in either coding, and needs no body to be asked about", async () => {
    const plain = await get("sites.json", { "accept-encoding": "identity" });
    const etag = plain.headers.get("etag") ?? "";
    const zipped = await get("sites.json", { "accept-encoding": "br;q=0, gzip" });
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect(await zipped.text()).toBe(await plain.text());
    expect(zipped.headers.get("etag")).not.toBe(etag);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const again = await get("sites.json", { "if-none-match": known });
      expect([again.status, await again.text(), again.headers.get("vary")]).toEqual([304, "", "Accept-Encoding"]);
    }
    expect((await get("sites.json", { "if-none-match": '"another"' })).status).toBe(200);
    const head = await get("sites.json", { "accept-encoding": "identity" }, "HEAD");
    expect([head.headers.get("etag"), head.headers.get("content-length"), await head.text()]).toEqual([
      etag,
      plain.headers.get("content-length"),
      "",
    ]);
    expect((await get("sites.json", { "accept-encoding": "gzip;q=0" })).headers.get("content-encoding")).toBeNull();
  });

  it("may be read by every web page, kept by caches, and changed by nobody", async () => {
    const { headers } = await get("availability.json", { origin: "https://map.example" });
    expect([headers.get("access-control-allow-origin"), headers.get("vary")]).toEqual(["*", "Accept-Encoding"]);
    expect(headers.get("cache-control")).toMatch(/^public, max-age=([0-9]|[12][0-9]|30)$/);
    for (const method of ["POST", "PUT", "DELETE"]) expect([method, (await get("sites.json", {}, method)).status]).toEqual([method, 405]);
    for (const path of ["sites", "sites.json/", "../v1/%2e%2e/secrets.json", "schemas/"])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });
});

it("without a licence there is no open directory", async () => {
  const closed = await startTestNetwork({ redis: { ...redis, keyPrefix: `${redis.keyPrefix}closed` } });
  try {
    for (const path of ["manifest.json", "sites.json"]) expect((await fetch(`${closed.baseUrl}/feed/v1/${path}`)).status).toBe(404);
  } finally {
    await closed.stop();
  }
});
