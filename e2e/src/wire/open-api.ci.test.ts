import { toJson } from "@bufbuild/protobuf";
import { useRedis } from "@petak/testkit";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyMethod } from "../testing/every-method.ts";
import { callersOf, goodRequestsIn, startWorld, type World } from "../testing/world.ts";

const redis = useRedis();
let world: World;
let text: string;

beforeAll(async () => {
  world = await startWorld(redis);
  text = await (await fetch(`${world.network.baseUrl}/openapi.json`)).text();
});
afterAll(() => world.stop());

/** Checks by the schemas of the description, which here allow no other members than they name. */
function checks() {
  const { schemas } = (JSON.parse(text) as { components: { schemas: object } }).components;
  const closed = JSON.stringify(schemas)
    .replaceAll("#/components/schemas/", "#/$defs/")
    .replaceAll(/"type":"object",(?="description"|"properties"|"required")/g, '"type":"object","unevaluatedProperties":false,');
  const ajv = new Ajv2020.default({ strict: true, strictRequired: false, keywords: ["x-extensible-enum"], allErrors: true });
  addFormats.default(ajv);
  for (const format of ["int64", "uint64", "int32", "double", "float"]) ajv.addFormat(format, true);
  ajv.addSchema({ $id: "petak", $defs: JSON.parse(closed) });
  return (name: string, value: unknown): unknown => {
    const validate = ajv.compile({ $ref: `petak#/$defs/${name}` });
    return validate(value) ? undefined : validate.errors;
  };
}

describe("the description of the calls", () => {
  it("is what a linter of OpenAPI 3.1 expects by its strict rules", async () => {
    const config = await createConfig({ extends: ["recommended-strict"] });
    const problems = await lintFromString({ source: text, absoluteRef: "/openapi.json", config });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
  });

  it("is sent once, and to every web page", async () => {
    const first = await fetch(`${world.network.baseUrl}/openapi.json`, { headers: { origin: "https://docs.example" } });
    expect([first.headers.get("content-type"), first.headers.get("access-control-allow-origin")]).toEqual(["application/json", "*"]);
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await fetch(`${world.network.baseUrl}/openapi.json`, { headers })).status).toBe(304);
  });

  it("fits every method's request with all fields set, and what the gateway answers", async () => {
    const check = checks();
    const [callers, requests] = [await callersOf(world), await goodRequestsIn(world)];
    const succeeded = new Set<string>();
    for (const { method, by, message } of requests) {
      if (method.methodKind !== "unary") continue;
      const sent = toJson(method.input, message);
      expect([method.name, check(method.input.name, sent)]).toEqual([method.name, undefined]);
      const response = await fetch(`${world.network.baseUrl}/${method.parent.typeName}/${method.name}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: callers[by] },
        body: JSON.stringify(sent),
      });
      const answer: unknown = await response.json();
      const name = response.ok ? method.output.name : "Error";
      expect([method.name, check(name, answer)]).toEqual([method.name, undefined]);
      if (response.ok) succeeded.add(method.name);
    }
    // Those that need a proof are refused without.
    expect(succeeded.size).toBeGreaterThan(everyMethod.length / 2);
  });

  it("refuses what the gateway refuses", () => {
    const check = checks();
    const origin = { latitude: 1.3, longitude: 103.8 };
    const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
    expect(check("FindNearestRequest", { origin, parcel })).toBeUndefined();
    for (const wrong of [
      { parcel },
      { origin: { latitude: 91, longitude: 0 }, parcel },
      { origin, parcel: { ...parcel, widthMm: 0 } },
      { origin, parcel: { ...parcel, massG: "heavy" } },
      { origin, parcel, nothing: 1 },
    ]) {
      expect(check("FindNearestRequest", wrong)).toBeDefined();
    }
  });
});
