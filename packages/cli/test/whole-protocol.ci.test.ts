import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { writeKeyFile } from "@petak/client/node";
import { DeviceEventType, Role } from "@petak/protocol";
import { createTempDir, makeSite } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, describe, expect, test } from "vitest";
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
  const sites = [1.3, 1.31].map((latitude) => makeSite({ latitude, longitude: 103.8, ref: `at ${latitude}` }));
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

    const moved = await asJson<Reserved & { redirected: object }>(courier, "redirect", reservationId, siteIds[1], "--reason", "rerouted");
    expect(moved.reservation).toMatchObject({ siteId: siteIds[1], redirectedFrom: reservationId });
    expect(await asText(courier, "reservation", reservationId)).toContain(`moved to   ${moved.reservation.reservationId}`);
    expect(await asText(courier, "cancel", moved.reservation.reservationId, "--reason", "order-cancelled")).toMatch(/state +cancelled/);
  });

  test("is made once, however often its request is sent", async () => {
    const again = [siteIds[0], "--request-id", randomUUID()];
    expect(await reserve(...again)).toBe(await reserve(...again));
    const other = await petak(courier, ["reserve", siteIds[1], "--request-id", again[2] ?? "", "--json"]);
    expect([other.exitCode, other.stdout]).toEqual([1, expect.stringContaining("REQUEST_ID_REUSED")]);
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
