import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import {
  CancelRequestSchema,
  ConfirmRequestSchema,
  FindNearestRequestSchema,
  IssueCredentialRequestSchema,
  ReserveRequestSchema,
  validateMessage,
} from "@petak/protocol";
import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, test } from "vitest";
import { downtown, type Place, somewhereIn } from "./cities.ts";
import { someParcel } from "./parcels.ts";
import { reasonIn } from "./reason.ts";
import { type ReplayedIntention, readTrace, replayedArrivals } from "./replay.ts";
import { cancel, confirm, depositCredential, findNearest, reserveNearest } from "./requests.ts";
import { readSettings } from "./settings.ts";
import { readTokens, tokenAt } from "./tokens.ts";
import { randomUuid } from "./uuid.ts";

const random = createRandom(testSeed()).float;
const defaults = { rate: 100, duration: "30s" };

describe("settings", () => {
  test("without any are those of npm start", () => {
    expect(readSettings({}, defaults)).toEqual({
      url: "http://127.0.0.1:8420",
      address: "127.0.0.1:8420",
      isPlaintext: true,
      tokensPath: "tokens.json",
      rate: 100,
      duration: "30s",
      city: "Singapore",
    });
  });

  test("name the port that an address leaves out", () => {
    expect(readSettings({ PETAK_URL: "https://petak.example/" }, defaults)).toMatchObject({
      url: "https://petak.example",
      address: "petak.example:443",
      isPlaintext: false,
    });
  });

  test.each([
    [{ PETAK_URL: "127.0.0.1:8420" }, 'PETAK_URL is "127.0.0.1:8420"'],
    [{ PETAK_RATE: "1.5" }, 'PETAK_RATE is "1.5"'],
    [{ PETAK_RATE: "0" }, "from 1 to 100000"],
    [{ PETAK_DURATION: "soon" }, "e.g. 90s, 5m or 1h30m"],
  ])("that are wrong are refused by name: %j", (environment, text) => {
    expect(() => readSettings(environment, defaults)).toThrow(text);
  });
});

describe("tokens", () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const text = JSON.stringify({
    tokens: [
      { token: "a", validFrom: at(0), validUntil: at(5) },
      { token: "b", validFrom: at(4), validUntil: at(9) },
    ],
  });
  const tokens = readTokens(text, "tokens.json");

  test("are used when they become valid, until the last one ends", () => {
    const used = [0, 3.9, 4, 8.9].map((minute) => tokenAt(tokens, Date.parse(at(0)) + minute * 60_000));
    expect(used).toEqual(["a", "a", "b", "b"]);
    expect(() => tokenAt(tokens, Date.parse(at(9)))).toThrow("the last one ended at 2026-01-01T00:09:00.000Z");
  });

  test.each([["no json"], ["[]"], ['{"tokens":[]}'], ['{"tokens":[{"token":"a"}]}']])("of another form are refused: %s", (other) => {
    expect(() => readTokens(other, "tokens.json")).toThrow("npx petak token --many 60 > tokens.json");
  });
});

/** Great-circle distance in m on a sphere of 6371 km. */
function distanceM(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.latitude - a.latitude) * rad) / 2) ** 2 +
    Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin(((b.longitude - a.longitude) * rad) / 2) ** 2;
  return 2 * 6_371_000 * Math.asin(Math.sqrt(h));
}

test("places of a city lie around its centre, and those downtown within a walk", () => {
  const centre = { latitude: 13.75, longitude: 100.5 };
  const all = Array.from({ length: 1000 }, () => distanceM(centre, somewhereIn("Bangkok", random)));
  expect(Math.max(...all)).toBeLessThan(27_100);
  // Box and Muller: half of them lie within 1.18 spreads, 10,600 m; six standard errors.
  expect(Math.abs(all.filter((one) => one < 10_597).length - 500)).toBeLessThan(95);
  expect(Math.max(...Array.from({ length: 1000 }, () => distanceM(centre, downtown("Bangkok", random))))).toBeLessThan(1510);
  expect(() => somewhereIn("Atlantis", random)).toThrow("the cities are Bangkok, Hanoi");
});

test("parcels have the stated shares", () => {
  expect([0, 0.54, 0.56, 0.84, 0.86, 0.99].map((draw) => someParcel(() => draw).massG)).toEqual([500, 500, 1500, 1500, 5000, 5000]);
});

test("request ids are UUIDs of version 4, each another", () => {
  const ids = Array.from({ length: 1000 }, () => randomUuid(random));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test("the reason of a refusal is the catalogue's, else what there is", () => {
  const body = JSON.stringify({
    code: "resource_exhausted",
    details: [{ type: "google.rpc.ErrorInfo", debug: { reason: "RATE_LIMITED" } }],
  });
  expect(reasonIn(429, body)).toBe("RATE_LIMITED");
  expect(reasonIn(503, '{"code":"unavailable"}')).toBe("unavailable");
  expect(reasonIn(502, "<html>")).toBe("HTTP 502");
});

test("requests are what the protocol wants", () => {
  const place = somewhereIn("Singapore", random);
  const parcel = someParcel(random);
  const checked: [DescMessage, object][] = [
    [FindNearestRequestSchema, findNearest(place, parcel)],
    [ReserveRequestSchema, reserveNearest(place, parcel)],
    [ReserveRequestSchema, reserveNearest(place, parcel, 1500)],
    [ConfirmRequestSchema, confirm("res_1")],
    [IssueCredentialRequestSchema, depositCredential("res_1")],
    [CancelRequestSchema, cancel("res_1")],
  ];
  for (const [schema, json] of checked) validateMessage(schema, fromJson(schema, json as JsonValue));
});

describe("a replay", () => {
  const header = '{"schema":"petak.trace","version":1}\n';
  const trace: ReplayedIntention[] = readTrace(
    `${header}${[0, 500, 61_000, 61_001].map((atMs, index) => JSON.stringify({ id: index + 1, atMs, latitude: 1, longitude: 103, stayMs: 1 })).join("\n")}\n`,
    "day.ndjson",
  );

  test("takes the defaults of the trace's schema", () => {
    expect(trace[0]).toMatchObject({ atMs: 0, widthMm: 300, heightMm: 80, depthMm: 200, massG: 1000 });
  });

  test("begins as many in each second as the trace, at its speed", () => {
    const { stages, timeUnit } = replayedArrivals(trace, 1);
    expect(timeUnit).toBe("1s");
    const kept = stages.filter(({ duration }) => duration !== "0s").map(({ target }) => target);
    expect(kept).toHaveLength(62);
    expect([kept[0], kept[1], kept[61]]).toEqual([2, 0, 2]);
    expect(
      replayedArrivals(trace, 60)
        .stages.filter(({ duration }) => duration !== "0s")
        .map(({ target }) => target),
    ).toEqual([2, 2]);
  });

  test("of a long trace has no more pieces than k6 takes easily, and loses none", () => {
    const long = Array.from({ length: 5000 }, (_, index) => ({ ...(trace[0] as ReplayedIntention), atMs: index * 17_280 }));
    const { stages } = replayedArrivals(long, 1);
    expect(stages.length).toBeLessThanOrEqual(1202);
    expect(stages.filter(({ duration }) => duration !== "0s").reduce((sum, { target }) => sum + target, 0)).toBe(5000);
  });

  test.each([
    ['{"schema":"other"}\n{}', "no trace"],
    [header, "no intentions"],
    [`${header}{"atMs":1}\nnothing`, "Line 3 of day.ndjson is not JSON"],
  ])("of something else is refused: %s", (text, message) => {
    expect(() => readTrace(text, "day.ndjson")).toThrow(message);
  });
});
