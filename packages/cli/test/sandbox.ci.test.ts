import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import {
  createOwnServiceClient,
  createPetakClient,
  type KeyFile,
  type PetakClient,
  readKeyFile,
  signerOfKeyFile,
} from "@petak/client/node";
import { createLogger, loadConfig } from "@petak/gateway";
import { Act, EventTypeSchema, Role, reasonOf } from "@petak/protocol";
import { SandboxRefusalSchema, SandboxService, type VisitSandboxSiteResponse } from "@petak/protocol/sandbox";
import { TestClockService } from "@petak/protocol/test-clock";
import { createTempDir } from "@petak/testkit";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ensureParticipant } from "../src/demo/ensure-participant.ts";
import { type ServedGateway, serveGateway } from "../src/serve/serve-gateway.ts";
import { documentedSandbox } from "../src/testing/documented-sandbox.ts";
import { runPetak } from "../src/testing/run-petak.ts";

const parcel = { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1200 };

const documented = documentedSandbox();
let dataDir: string;
let served: ServedGateway;
let courier: PetakClient;
let sandbox: Client<typeof SandboxService>;
let clock: { readonly client: Client<typeof TestClockService>; close(): void };
/** The ids of the sites, by reference. */
let sites: ReadonlyMap<string, string>;

/** Starts the gateway, and reads the sites once they are open. */
async function serve(): Promise<void> {
  const config = loadConfig({ flags: { port: "0", dataDir, sandbox: "true", testClock: "true" }, env: {} });
  served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  const { url: baseUrl, admin, gateway } = served;
  const administrator = createPetakClient({ baseUrl, signer: signerOfKeyFile(admin.keyFile) });
  const path = join(dataDir, "keys", "courier.json");
  const wanted = { name: "courier", displayName: "Courier", role: Role.COURIER, path, audience: gateway.audience };
  const signer = signerOfKeyFile(await ensureParticipant(administrator, wanted));
  administrator.close();
  courier = createPetakClient({ baseUrl, signer });
  const own = createOwnServiceClient(SandboxService, { baseUrl, signer, timeoutMs: 60_000, retry: false });
  sandbox = own.client;
  clock = createOwnServiceClient(TestClockService, { baseUrl, signer: signerOfKeyFile(admin.keyFile) });
  // SANDBOX_NOT_READY until they are open.
  const listed = await vi.waitFor(() => sandbox.listSandboxSites({}), { timeout: 60_000, interval: 100 });
  sites = new Map(listed.sites.map(({ operatorSiteRef, siteId }) => [operatorSiteRef, siteId]));
}

async function stop(): Promise<void> {
  courier.close();
  clock.close();
  await served.stop();
}

beforeAll(async () => {
  const directory = await createTempDir();
  dataDir = join(directory.path, "data");
  await serve();
  return async () => {
    await stop();
    await directory.remove();
  };
});

/** The documented events at a site. */
const eventsAt = (ref: string) => documented.find(({ reference }) => reference?.[0] === ref)?.["the courier's events"] ?? [];

const siteOf = (ref: string) => sites.get(ref) ?? "";

async function reserve(ref: string): Promise<string> {
  const { reservation } = await courier.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteOf(ref) },
    parcel,
  });
  const reservationId = reservation?.reservationId ?? "";
  await courier.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

const issue = (reservationId: string, act: Act, withPin = false) =>
  courier.reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin });

const wordOf = ({ opened, refusal }: VisitSandboxSiteResponse) =>
  opened ? "opened" : (SandboxRefusalSchema.value[refusal]?.name.replace("SANDBOX_REFUSAL_", "") ?? "");

/** Somebody comes with an access token. */
async function visit(ref: string, accessToken: string): Promise<string> {
  return wordOf(await sandbox.visitSandboxSite({ siteId: siteOf(ref), credential: { case: "accessToken", value: accessToken } }));
}

/** The courier's events of a reservation. */
async function eventsOf(reservationId: string): Promise<string[]> {
  const { events } = await courier.custody.listEvents({ pageSize: 1000 });
  return events
    .filter((event) => event.reservationId === reservationId)
    .map(({ type }) => EventTypeSchema.value[type]?.name.replace("EVENT_TYPE_", "") ?? "");
}

/** Lets the gateway's time pass until a reservation has its events, but not as long as it takes until parcels are forgotten. */
async function untilEvents(reservationId: string, wanted: readonly string[]): Promise<void> {
  let passedMs = 0;
  const look = async () => {
    const events = await eventsOf(reservationId);
    if (events.length < wanted.length && passedMs < 300_000) {
      passedMs += stepMs;
      await pass(stepMs);
    }
    return events;
  };
  await expect.poll(look, { timeout: 60_000 }).toEqual(wanted);
}

const stepMs = 5000;

/** Moves the gateway's clock, and all that follow it. */
async function pass(ms: number): Promise<void> {
  const { time } = await clock.client.getTestClock({});
  await clock.client.moveTestClock({ time: timestampFromMs((time === undefined ? 0 : timestampMs(time)) + ms) });
}

describe("the guide's table", () => {
  it("has the sites of the gateway, all of them", () => {
    expect(documented.map(({ reference }) => reference?.[0]).sort()).toEqual([...sites.keys()].sort());
  });

  it.each(documented.map((row) => [row.reference?.[0] ?? "", row] as const))("says what happens at %s", async (ref, row) => {
    const [reserved = "", opened = ""] = [row.Reserve?.[0], row.deposit?.[0]];
    const attempt = reserve(ref);
    if (reserved !== "ok") return expect(await attempt.catch(reasonOf)).toBe(reserved);
    const reservationId = await attempt;
    // The site is retired before anybody comes.
    if (opened !== "") expect(await visit(ref, (await issue(reservationId, Act.DEPOSIT)).accessToken)).toBe(opened);
    await untilEvents(reservationId, row["the courier's events"] ?? []);
    const [collected] = row.collection ?? [];
    if (collected === undefined) return;
    const forCollection = await issue(reservationId, Act.COLLECT);
    expect(await visit(ref, forCollection.accessToken)).toBe(collected);
  });
});

describe("petak sandbox", () => {
  const petak = (...args: string[]) => runPetak(["--url", served.url, "--key", join(dataDir, "keys", "courier.json"), "sandbox", ...args]);

  it("lists the sites, and says in words what each does", async () => {
    const { stdout, stderr } = await petak("sites");
    expect(stderr).toBe("");
    for (const [ref, siteId] of sites) expect(stdout).toMatch(new RegExp(`^${ref} +${siteId}  \\w+.* `, "m"));
  });

  it("brings a parcel and collects it by a PIN", async () => {
    const reservationId = await reserve("sandbox-plain");
    expect(await petak("deposit", reservationId)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for DEPOSIT/),
    });
    expect(await petak("collect", reservationId, "--pin")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for COLLECT/),
    });
    expect((await eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("collects all parcels of a bundle", async () => {
    const reservationIds = [await reserve("sandbox-plain"), await reserve("sandbox-plain")];
    const { bundle } = await courier.reservations.putBundle({ requestId: randomUUID(), reservationIds });
    for (const reservationId of reservationIds) await petak("deposit", reservationId);
    expect(await petak("collect", bundle?.bundleId ?? "", "--pin")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for COLLECT/),
    });
    for (const reservationId of reservationIds) {
      await expect.poll(async () => (await eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
    }
  });

  it("says why no door opened, and so does the feed", async () => {
    const reservationId = await reserve("sandbox-jammed");
    const { exitCode, stderr } = await petak("deposit", reservationId);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("OUT_OF_ORDER")]);
    const feed = await runPetak([
      "--url",
      served.url,
      "--key",
      join(dataDir, "keys", "courier.json"),
      "events",
      "--reservation",
      reservationId,
    ]);
    expect(feed.stdout).toMatch(/DOOR_REFUSED .* LOCK_FAILED; ACCESS_TOKEN, report \d+$/m);
    const shown = await petak("visit", "sandbox-jammed", "12345678", "--json");
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout + shown.stderr).toContain("NOT_ACCEPTED");
    expect(await petak("visit", "sandbox-nowhere", "12345678")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("sandbox-plain"),
    });
  });
});

describe("a sandbox", () => {
  it("takes parcels out by a PIN, and opens once for it", async () => {
    const reservationId = await reserve("sandbox-plain");
    await visit("sandbox-plain", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    const { pin } = await issue(reservationId, Act.COLLECT, true);
    const shown = { siteId: siteOf("sandbox-plain"), credential: { case: "pin", value: pin } } as const;
    expect(await sandbox.visitSandboxSite(shown)).toMatchObject({ opened: true, act: Act.COLLECT });
    expect(wordOf(await sandbox.visitSandboxSite(shown))).toBe("NOT_ACCEPTED");
    expect((await eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("keeps what is inside when its gateway starts again", async () => {
    const reservationId = await reserve("sandbox-plain");
    await visit("sandbox-plain", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    const before = sites;
    await stop();
    await serve();
    expect(sites).toEqual(before);
    expect(await visit("sandbox-plain", (await issue(reservationId, Act.COLLECT)).accessToken)).toBe("opened");
    expect((await eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("sends after a restart what its terminals had not reported", async () => {
    const reservationId = await reserve("sandbox-slow");
    await visit("sandbox-slow", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    // Within the 20 s for which it keeps its reports, unless the machine stands still.
    await stop();
    await serve();
    await expect.poll(async () => (await eventsOf(reservationId)).at(-1)).toBe("PARCEL_DEPOSITED");
  });

  it("puts a compartment back into use that was in doubt when its gateway ended", async () => {
    const reservationId = await reserve("sandbox-in-doubt");
    await visit("sandbox-in-doubt", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    await stop();
    await serve();
    const siteId = siteOf("sandbox-in-doubt");
    const { site } = await courier.directory.getSite({ siteId });
    const free = async () => {
      await pass(stepMs);
      const { availabilities } = await courier.directory.getAvailability({ siteIds: [siteId] });
      return availabilities[0]?.sizeClasses.reduce((sum, { freeToPromise }) => sum + freeToPromise, 0);
    };
    await expect.poll(free, { timeout: 60_000 }).toBe(site?.compartments.length);
  });

  it("refuses a PIN where the terminal cannot have heard of it", async () => {
    const reservationId = await reserve("sandbox-offline");
    await visit("sandbox-offline", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    await untilEvents(reservationId, eventsAt("sandbox-offline"));
    const { pin, accessToken } = await issue(reservationId, Act.COLLECT, true);
    const shown = { siteId: siteOf("sandbox-offline"), credential: { case: "pin", value: pin } } as const;
    expect(wordOf(await sandbox.visitSandboxSite(shown))).toBe("NOT_ACCEPTED");
    expect(await visit("sandbox-offline", accessToken)).toBe("opened");
  });

  it("puts a retired site back", async () => {
    const isBack = async () => {
      await pass(stepMs);
      return await reserve("sandbox-retired").catch(reasonOf);
    };
    await untilEvents(await reserve("sandbox-retired"), eventsAt("sandbox-retired"));
    await expect.poll(isBack, { timeout: 60_000 }).toMatch(/^res_/);
  });

  it("throws parcels away that nobody collects", async () => {
    const reservationId = await reserve("sandbox-plain");
    await visit("sandbox-plain", (await issue(reservationId, Act.DEPOSIT)).accessToken);
    const look = async () => {
      await pass(600_000);
      return await eventsOf(reservationId);
    };
    await expect.poll(look, { timeout: 60_000 }).toContain("PARCEL_RECALLED");
    expect((await eventsOf(reservationId)).slice(-3)).toEqual(["PARCEL_OVERDUE", "RESERVATION_IN_DOUBT", "PARCEL_RECALLED"]);
  });

  it("is described where it is, and is not there unless a setting says so", async () => {
    const described = async ({ url }: ServedGateway) => await (await fetch(`${url}/openapi.json`)).text();
    expect(await described(served)).toContain("/petak.v1.SandboxService/VisitSandboxSite");
    const directory = await createTempDir();
    const config = loadConfig({ flags: { port: "0", dataDir: directory.path }, env: {} });
    const without = await serveGateway(config, directory.path, createLogger({ level: "silent" }));
    const own = createOwnServiceClient(SandboxService, { baseUrl: without.url, signer: signerOfKeyFile(without.admin.keyFile) });
    try {
      expect(await described(without)).not.toContain("SandboxService");
      expect(await own.client.listSandboxSites({}).catch(reasonOf)).toBe("METHOD_NOT_FOUND");
    } finally {
      own.close();
      await without.stop();
      await directory.remove();
    }
  });

  it("refuses live keys, agents' keys, other sites, and crowds before a site", async () => {
    const refusalOf = async (keyFile: KeyFile) => {
      const own = createOwnServiceClient(SandboxService, { baseUrl: served.url, signer: signerOfKeyFile(keyFile) });
      return await own.client.listSandboxSites({}).catch(reasonOf).finally(own.close);
    };
    expect(await refusalOf(served.admin.keyFile)).toBe("MODE_MISMATCH");
    const agentKey = await readKeyFile(join(dataDir, "sandbox", siteOf("sandbox-plain"), "agent-key.json"));
    expect(await refusalOf(agentKey)).toBe("AGENT_KEY_NOT_ALLOWED");
    const shown = { case: "pin", value: "00000000" } as const;
    expect(await sandbox.visitSandboxSite({ siteId: "site_0000", credential: shown }).catch(reasonOf)).toBe("SITE_NOT_FOUND");
    const crowd = Array.from({ length: 40 }, () => sandbox.visitSandboxSite({ siteId: siteOf("sandbox-full"), credential: shown }));
    const outcomes = await Promise.all(crowd.map((one) => one.then(() => "judged", reasonOf)));
    expect(new Set(outcomes)).toEqual(new Set(["judged", "SANDBOX_SITE_BUSY"]));
  });
});
