import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { writeKeyFile } from "@petak/client/node";
import { DeviceEventType, Role, SiteKind, SiteService } from "@petak/protocol";
import { createTempDir, makeSite, type SiteFacts } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, describe, expect, test } from "vitest";
import { checkDocumentedJson } from "../src/testing/documented-json.ts";
import { type PetakRun, type RunPetakOptions, runPetak } from "../src/testing/run-petak.ts";

let network: TestNetwork;
let folder: string;
let courier: TestParticipant;
let operator: TestParticipant;
/** Two sites, 1.1 km apart. */
let siteIds: [string, string];

beforeAll(async () => {
  const directory = await createTempDir();
  folder = directory.path;
  network = await startTestNetwork();
  courier = await network.join("Courier", [Role.COURIER, Role.MERCHANT]);
  operator = await network.join("Operator", [Role.OPERATOR]);
  for (const each of [courier, operator]) await writeKeyFile(join(folder, `${each.participantId}.json`), keyFileOf(each));
  const classes: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, 40]];
  const sites = [1.3, 1.31].map((latitude) => makeSite({ latitude, longitude: 103.8, ref: `at ${latitude}`, classes }));
  siteIds = (await network.putSites(operator, ...sites)) as [string, string];
  return async () => {
    await network.stop();
    await directory.remove();
  };
});

/** Runs `petak` with somebody's key, in the folder of the tests. */
function petak(by: TestParticipant, argv: readonly string[], options: RunPetakOptions = {}): Promise<PetakRun> {
  return runPetak(["--url", network.baseUrl, "--key", `${by.participantId}.json`, ...argv], { cwd: folder, ...options });
}

/** Runs `petak --json`, which must succeed, and gives its result. */
async function asJson<Result>(by: TestParticipant, ...argv: string[]): Promise<Result> {
  const { exitCode, stdout } = await petak(by, [...argv, "--json"]);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^[[{]/)]);
  checkDocumentedJson(argv, stdout);
  return JSON.parse(stdout) as Result;
}

/** Runs `petak` for people, which must succeed, and gives its text. */
async function asText(by: TestParticipant, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await petak(by, argv);
  expect([exitCode, stderr]).toEqual([0, ""]);
  return stdout;
}

interface Reserved {
  reservation: { reservationId: string; state: string; siteId: string; [member: string]: unknown };
}

async function reserve(...argv: string[]): Promise<string> {
  return (await asJson<Reserved>(courier, "reserve", ...argv)).reservation.reservationId;
}

const inDays = (days: number) => new Date(network.now() + days * 86_400_000).toISOString();

describe("the life of a reservation", () => {
  test("is held near a point, confirmed, extended, moved and cancelled", async () => {
    const held = await asText(courier, "reserve", "1.3,103.8", "--radius", "500", "--reference", "order-7", "--hold", "30m");
    expect(held).toMatch(/state +held.*site +.*site_.*reference +order-7.*Confirm it: petak confirm res_/s);
    const [reservationId = ""] = /res_\w+/.exec(held) ?? [];

    expect(await asText(courier, "confirm", reservationId, "--within", "6h", "--label", "JX-118")).toMatch(/state +confirmed/);
    const shown = await asJson<Reserved & { terms: object }>(courier, "reservation", reservationId);
    expect(shown.reservation).toMatchObject({ state: "RESERVATION_STATE_CONFIRMED", siteId: siteIds[0], labelCodes: ["JX-118"] });
    expect(shown.terms).toBeDefined();
    expect(await asText(courier, "reservation", reservationId)).toMatch(/free storage +3d/);

    const until = inDays(0.5);
    const extended = await asJson<Reserved>(courier, "extend", reservationId, "--until", until);
    expect(extended.reservation.depositUntil).toBe(until);
    const nowMs = Date.parse(until) - 12 * 3_600_000;
    const later = await petak(courier, ["extend", reservationId, "--until", "+13h", "--json"], { now: () => nowMs });
    expect((JSON.parse(later.stdout) as Reserved).reservation.depositUntil).toBe(new Date(nowMs + 13 * 3_600_000).toISOString());

    const moved = await asJson<Reserved & { redirected: object }>(courier, "redirect", reservationId, siteIds[1], "--reason", "rerouted");
    expect(moved.reservation).toMatchObject({ siteId: siteIds[1], redirectedFrom: reservationId });
    expect(await asText(courier, "reservation", reservationId)).toContain(`moved to   ${moved.reservation.reservationId}`);
    expect(await asText(courier, "cancel", moved.reservation.reservationId, "--reason", "order-cancelled")).toMatch(/state +cancelled/);
  });

  test("waits where the site is full, or goes elsewhere, by the policy that it states", async () => {
    const classes: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, 1]];
    const siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, ref: "small", classes }));
    await reserve(siteId);
    expect((await petak(courier, ["reserve", siteId, "--json"])).stdout).toContain("NO_PLACE_FREE");
    const waiting = await asText(courier, "reserve", siteId, "--wait", "2h", "--fallback", "ask-consumer");
    expect(waiting).toMatch(/state +queued.*ahead +0 in the queue/s);
    expect(waiting).not.toContain("Confirm it");
    const { reservation } = await asJson<Reserved>(courier, "reserve", siteId, "--elsewhere", "5000", "--wait", "2h");
    expect(reservation).toMatchObject({
      state: "RESERVATION_STATE_HELD",
      wantedSiteId: siteId,
      overflowPolicy: { maxDistanceM: 5000, wait: "7200s" },
    });
  });

  test("says what the parcel asks for, and which sites may take it", async () => {
    const siteId = await network.putSite(
      operator,
      makeSite(
        { latitude: 1.4, longitude: 103.9, ref: "shop", kind: SiteKind.COLLECTION_POINT },
        { services: [SiteService.CASH_ON_DELIVERY] },
      ),
    );
    const near = ["1.4,103.9", "--kind", "store", "--operator", operator.participantId, "--radius", "100"];
    const { reservation } = await asJson<Reserved>(
      courier,
      ...["reserve", ...near, "--needs", "cash-on-delivery", "--cash-due", "12.50 SGD", "--parcel", "100x100x100", "--mass", "300"],
      ...["--label", "A-1", "--label", "A-2", "--purpose", "delivery"],
    );
    expect(reservation).toMatchObject({
      siteId,
      parcel: { widthMm: 100, massG: 300, labelCodes: ["A-1", "A-2"], cashDue: { currencyCode: "SGD", units: "12", nanos: 500_000_000 } },
    });
    const hard = await petak(courier, ["reserve", siteId, "--hard", "--json"]);
    expect(hard.stdout).toContain("NO_NAMED_COMPARTMENT");
  });

  test("is made once, however often its request is sent", async () => {
    const again = [siteIds[0], "--request-id", randomUUID()];
    expect(await reserve(...again)).toBe(await reserve(...again));
    const other = await petak(courier, ["reserve", siteIds[1], "--request-id", again[2] ?? "", "--json"]);
    expect([other.exitCode, other.stdout]).toEqual([1, expect.stringContaining("REQUEST_ID_REUSED")]);
  });

  test("names the id with which to send a change again, if the gateway is lost on the way", async () => {
    // A server that takes each connection, and closes it when the request is there.
    const server = createServer((socket) => void socket.once("data", () => socket.destroy())).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const nowMs = network.now();
    const lose = async (...argv: string[]) => await petak(courier, [...argv, "--url", `http://127.0.0.1:${port}`], { now: () => nowMs });
    const lost = await lose("cancel", "res_83652b_8xk2m4p9q7w3t5z1", "--reason", "other");
    const relative = await lose("extend", "res_83652b_8xk2m4p9q7w3t5z1", "--until", "+12h");
    server.close();
    expect([lost.exitCode, lost.stderr]).toEqual([
      3,
      expect.stringMatching(/Send the change again with --request-id [\da-f-]{36}, so that/),
    ]);
    expect(relative.stderr).toMatch(
      new RegExp(`again with --request-id [\\da-f-]{36} --until ${new Date(nowMs + 12 * 3_600_000).toISOString()}, so that`),
    );
    const refused = await petak(courier, ["cancel", "res_83652b_8xk2m4p9q7w3t5z1", "--reason", "other"]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.not.stringContaining("--request-id")]);
  });

  test("ends a doubt by what the operator found", async () => {
    const reservationId = await reserve(siteIds[0]);
    await petak(courier, ["confirm", reservationId]);
    const reporter = await network.reporterAt(operator, siteIds[0]);
    await reporter.report({ type: DeviceEventType.DOUBT, reservationId });
    expect(await asText(operator, "reservation", reservationId)).toMatch(/state +in-doubt/);
    const resolved = await asJson<Reserved>(operator, "resolve", reservationId, "--outcome", "no-parcel");
    expect(resolved.reservation.state).toBe("RESERVATION_STATE_NO_SHOW");
  });

  test.each([
    ["a place that is none", ["reserve", "somewhere"], /latitude/],
    ["a radius around a named site", ["reserve", "site_83652b_0000000000000000", "--radius", "5"], /give a point instead/],
    ["a length of time without its unit", ["reserve", "1.3,103.8", "--hold", "30"], /with its unit/],
    ["an amount without its currency", ["reserve", "1.3,103.8", "--cash-due", "5"], /12\.50 SGD/],
    ["a reason that is none", ["cancel", "res_x", "--reason", "rain"], /Write one of consumer-request/],
    ["a request that the schema refuses", ["reserve", "1.3,103.8", "--parcel", "0x1x1"], /width_mm/],
  ])("refuses %s without a call", async (_, argv, message) => {
    const { stderr } = await petak(courier, [...argv, "--url", "http://127.0.0.1:9"]);
    expect(stderr).toMatch(message);
  });
});

test("a participant is shown to itself, and to nobody else", async () => {
  expect(await asText(courier, "participants", "show")).toMatch(new RegExp(`^${courier.participantId}  Courier  courier, merchant`));
  expect((await petak(courier, ["participants", "show", operator.participantId])).stderr).toContain("PARTICIPANT_NOT_FOUND");
});

describe("several at once", () => {
  interface Result {
    reserve?: Reserved;
    confirm?: Reserved;
    error?: { reason: string };
  }

  test("a batch has a result for each call, fails if one does, and makes nothing twice", async () => {
    const parcel = { widthMm: 300, heightMm: 200, depthMm: 150, massG: 1200 };
    const calls = [{ reserve: { siteId: siteIds[0], parcel } }, { reserve: { siteId: "site_83652b_0000000000000000", parcel } }];
    await writeFile(join(folder, "round.jsonl"), calls.map((call) => JSON.stringify(call)).join("\n"));
    const first = await petak(courier, ["batch", "round.jsonl", "--save", "sent.jsonl", "--json"]);
    const { error, results } = JSON.parse(first.stdout) as { error: { message: string }; results: Result[] };
    expect([first.exitCode, error.message]).toEqual([1, "1 of 2 calls failed."]);
    expect(results[1]?.error?.reason).toBe("SITE_NOT_FOUND");
    const again = await petak(courier, ["batch", "sent.jsonl", "--json"]);
    expect((JSON.parse(again.stdout) as { results: Result[] }).results).toEqual(results);

    const reservationId = results[0]?.reserve?.reservation.reservationId;
    const stdin = Readable.from([JSON.stringify([{ confirm: { reservationId } }, { getReservation: { reservationId } }])]);
    const second = await petak(courier, ["batch", "-"], { stdin });
    expect([second.exitCode, second.stdout]).toEqual([
      0,
      expect.stringMatching(/1 +confirm +res_\w+ +confirmed\n +2 +getReservation .*confirmed/),
    ]);
  });

  test.each([
    ["no JSON", "confirm res_x", /one call a line/],
    ["another call", '{"watch": {}}', /Call 1 of - is refused.*watch/],
    ["a call that the schema refuses", '{"cancel": {"reservationId": "res_x"}}', /Call 1 of - is refused.*reason/],
    ["nothing", "", /has no calls/],
  ])("a batch of %s is not sent", async (_, content, message) => {
    const { exitCode, stderr } = await petak(courier, ["batch", "-", "--url", "http://127.0.0.1:9"], { stdin: Readable.from([content]) });
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test("a bundle is made, changed and shown", async () => {
    const members = [await reserve(siteIds[0], "--reference", "one"), await reserve(siteIds[0], "--reference", "two")];
    const { bundle } = await asJson<{ bundle: { bundleId: string; reservationIds: string[] } }>(courier, "bundle", "make", ...members);
    expect(bundle.reservationIds).toEqual(members);
    expect(await asText(courier, "bundle", "show", bundle.bundleId)).toMatch(/held +one\n.*held +two/);
    expect(await asText(courier, "bundle", "set", bundle.bundleId, members[1] ?? "")).toBe(`${bundle.bundleId} has ${members[1]}.\n`);
    expect((await petak(courier, ["bundle", "show", "res_x"])).stderr).toContain("bdl_…");
  });
});

describe("the feed", () => {
  interface Told {
    eventId: string;
    type: string;
    reservationId: string;
  }
  const eventsOf = (stdout: string) =>
    stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Told);

  test("is read once, then what has come since, of one time, type or reservation", async () => {
    const reservationId = await reserve(siteIds[0]);
    const all = eventsOf((await petak(courier, ["events", "--since", "feed.cursor", "--json"])).stdout);
    // Events of other regions may stand behind it.
    expect(all.findLast((one) => one.reservationId === reservationId)).toMatchObject({ type: "EVENT_TYPE_RESERVATION_HELD" });
    await petak(courier, ["cancel", reservationId, "--reason", "other"]);
    const later = eventsOf((await petak(courier, ["events", "--since", "feed.cursor", "--json"])).stdout);
    expect(later.map(({ type }) => type)).toEqual(["EVENT_TYPE_RESERVATION_CANCELLED"]);
    expect((await readFile(join(folder, "feed.cursor"), "utf8")).trim()).not.toBe("");

    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const place = { case: "siteId", value: siteIds[0] } as const;
    const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
    await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel }, { headers: { traceparent } });
    expect(eventsOf((await petak(courier, ["events", "--since", "feed.cursor", "--json"])).stdout)).toMatchObject([{ traceparent }]);

    const ofOne = ["events", "--reservation", reservationId];
    expect(await asText(courier, ...ofOne)).toMatch(
      /Z {2}RESERVATION_HELD +res_\w+ {2}HELD\n.*RESERVATION_CANCELLED +res_\w+ {2}CANCELLED\n$/,
    );
    expect(await asText(courier, ...ofOne, "--type", "reservation-held")).not.toContain("CANCELLED");
    expect(await asText(courier, ...ofOne, "--from", inDays(1))).toBe("");
    expect(await asText(courier, ...ofOne, "--to", inDays(1))).toContain("CANCELLED");
  });

  test("is followed as it grows", async () => {
    const [stopping, printed] = [new AbortController(), [] as string[]];
    const following = petak(courier, ["events", "--follow", "--since", "follow.cursor", "--json"], {
      interruption: stopping.signal,
      onPrint: (text) => printed.push(text),
    });
    const reservationId = await reserve(siteIds[1]);
    await expect.poll(() => eventsOf(printed.join("")).map((one) => one.reservationId)).toContain(reservationId);
    stopping.abort(new Error("Interrupted."));
    expect((await following).exitCode).toBe(0);
    expect(eventsOf((await petak(courier, ["events", "--since", "follow.cursor", "--json"])).stdout)).toEqual([]);
  });

  test("is corrected by the operator", async () => {
    const reservationId = await reserve(siteIds[0]);
    const [{ eventId } = { eventId: "" }] = eventsOf((await petak(courier, ["events", "--reservation", reservationId, "--json"])).stdout);
    const correct = ["events", "correct", reservationId, eventId, "--reason", "wrong-time"];
    expect((await petak(courier, [...correct, "--json"])).stdout).toContain("ROLE_REQUIRED");
    expect(await asText(operator, ...correct, "--occurred-at", inDays(-1))).toContain(`says that ${eventId} of ${reservationId} is wrong.`);
    expect(await asText(courier, "events", "--type", "events-corrected")).toContain(reservationId);
  });

  test.each([
    [["--now"], /--now is for --follow/],
    [["--follow", "--now", "--since", "x"], /Give one of them/],
    [["--since", "x", "--to", "2026-11-05T21:30Z"], /Omit --since/],
    [["--follow", "--to", "2026-11-05T21:30Z"], /no --to/],
  ])("refuses %j", async (argv, message) => {
    const { exitCode, stderr } = await petak(courier, ["events", ...argv]);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe("sites", () => {
  test("are shown, counted and checked, for everybody who may read", async () => {
    const { site } = await asJson<{ site: { siteId: string } }>(courier, "sites", "show", siteIds[0]);
    expect(site.siteId).toBe(siteIds[0]);
    expect(await asText(courier, "sites", "show", siteIds[0])).toMatch(
      /name +Test site at 1\.3.*kind +terminal.*phase +active.*open +always \(Asia\/Singapore\).*places +M: 40 of 400x200x500 mm.*no-show after +7d/s,
    );
    const free = await asJson<{ availabilities: { siteId: string }[] }>(courier, "sites", "free", ...siteIds);
    expect(free.availabilities.map(({ siteId }) => siteId)).toEqual(siteIds);
    expect(await asText(courier, "sites", "free", siteIds[1])).toMatch(/site_\w+ +M +\d+ +\d+ +0 +0 +40 +20.*Z\n$/);

    expect(await asText(courier, "sites", "check", siteIds[0], "--parcel", "900x900x900")).toMatch(/no: does-not-fit/);
    expect(await asText(courier, "sites", "check", siteIds[0], "--needs", "id-check")).toMatch(/no: no id-check/);
    const { fits } = await asJson<{ fits: { fits: boolean; choice: string }[] }>(courier, "sites", "check", siteIds[0]);
    expect(fits[0]?.fits).toBe(true);
    expect(await reserve(siteIds[0], "--choice", fits[0]?.choice ?? "")).toMatch(/^res_/);
  });

  test("have terms of their own, or the operator's default", async () => {
    const termsAt = async (siteId: string) => (await asJson<{ terms: object }>(courier, "sites", "show", siteId)).terms;
    await asText(operator, "sites", "terms", "set", siteIds[0], "--free-storage", "36h", "--missed-fee", "2.5 SGD");
    expect(await termsAt(siteIds[0])).toMatchObject({ freeStorage: "129600s", noShowFee: { units: "2", nanos: 500_000_000 } });
    await asText(operator, "sites", "terms", "set", siteIds[0]);
    expect(await termsAt(siteIds[0])).toMatchObject({ freeStorage: "259200s" });
    expect(await termsAt(siteIds[0])).not.toHaveProperty("noShowFee");
    await asText(operator, "sites", "terms", "default", "--free-storage", "2d", "--late-fee", "1 SGD");
    await expect.poll(() => termsAt(siteIds[1])).toMatchObject({ freeStorage: "172800s", lateChangeFee: { units: "1" } });
    expect((await petak(courier, ["sites", "terms", "default", "--json"])).stdout).toContain("ROLE_REQUIRED");
  });

  test("report what is free, until they stop", async () => {
    const siteId = await network.putSite(operator, makeSite({ latitude: 1.32, longitude: 103.8, ref: "shared" }));
    const outOf = async () => await asText(courier, "sites", "free", siteId);
    expect(await asText(operator, "capacity", "report", siteId, "M=1/2/1")).toBe(`Recorded for ${siteId}.\n`);
    expect(await outOf()).toMatch(/ M +1 +0 +0 +2 +3 /);
    const late = await petak(operator, ["capacity", "report", siteId, "M=4/0/0", "--observed-at", inDays(-1), "--json"]);
    expect([late.exitCode, late.stdout]).toEqual([1, expect.stringContaining('"outdated"')]);
    expect(await asText(operator, "capacity", "end", siteId)).toContain("is counted by the gateway");
    expect(await outOf()).toMatch(/ M +4 +0 +0 +0 +4 /);
    const wrong = await petak(operator, ["capacity", "report", siteId, "M=4"]);
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("e.g. M=3/8/1")]);
    expect(await asText(operator, "sites", "retire", siteId)).toBe(`Retired ${siteId}.\n`);
  });
});

describe("the manifest", () => {
  test("lists what to do at the stops of a route, or at all sites, also as CSV without formulas", async () => {
    const [first, second] = await network.putSites(
      operator,
      ...["=1+1", "Depot"].map((name) =>
        makeSite({ latitude: -6.2, longitude: 106.8, ref: name }, { name, address: { countryCode: "ID" } }),
      ),
    );
    const visitor = await network.join("Visitor", [Role.COURIER]);
    await writeKeyFile(join(folder, `${visitor.participantId}.json`), keyFileOf(visitor));
    expect(await asText(visitor, "manifest")).toBe("Nothing to bring or to take.\n");
    const place = [first ?? "", "--reference", "-2+3"];
    const { reservation } = await asJson<Reserved>(visitor, "reserve", ...place);
    await asText(visitor, "confirm", reservation.reservationId, "--within", "6h", "--label", "@SUM(A1)");

    await writeFile(join(folder, "tour.txt"), `${second}\n${first}\n`);
    expect(await asText(visitor, "manifest", "--route", "tour.txt")).toMatch(
      /1 +Depot +nothing\n +2 +=1\+1 +bring +res_\w+ +M +\d{4}-\d\d-\d\dT\d\d:\d\dZ +-2\+3\n$/,
    );
    const { sites } = await asJson<{ sites: { siteId: string; entries: { reservationId: string }[] }[] }>(visitor, "manifest");
    expect(sites).toMatchObject([{ siteId: first, entries: [{ reservationId: reservation.reservationId }] }]);

    const [header, row, ...more] = (await asText(visitor, "manifest", second ?? "", first ?? "", "--csv")).split("\n");
    expect([header?.split(",").length, row?.split(",").length, more]).toEqual([15, 15, [""]]);
    expect(row).toMatch(new RegExp(`^2,${first},'=1\\+1,,-6\\.2,106\\.8,bring,no,res_\\w+,,M,,[-0-9T:.]+Z,'-2\\+3,'@SUM\\(A1\\)$`));
    expect((await asText(visitor, "manifest", "--before", inDays(0), "--csv")).trimEnd()).toBe(header);
  });

  test.each([
    [["--csv", "--json"], /Give one of them/],
    [["site_x", "--route", "tour.txt"], /by --route/],
    [["--route", "-"], /names no site/],
  ])("refuses %j", async (argv, message) => {
    const { exitCode, stderr, stdout } = await petak(courier, ["manifest", ...argv]);
    expect([exitCode, stderr + stdout]).toEqual([2, expect.stringMatching(message)]);
  });
});
