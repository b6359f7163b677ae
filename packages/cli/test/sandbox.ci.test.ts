import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createOwnServiceClient, createPetakClient, type KeyFile, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { createLogger, loadConfig } from "@petak/gateway";
import { Act, Role, reasonOf } from "@petak/protocol";
import { SandboxService } from "@petak/protocol/sandbox";
import { createTempDir } from "@petak/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { ensureParticipant } from "../src/demo/ensure-participant.ts";
import { type ServedGateway, serveGateway } from "../src/serve/serve-gateway.ts";
import { documentedSandbox } from "../src/testing/documented-sandbox.ts";
import { runPetak } from "../src/testing/run-petak.ts";
import { connectSandboxCourier, type SandboxCourier, stepMs, wordOf } from "../src/testing/sandbox-courier.ts";

const documented = documentedSandbox();
let dataDir: string;
let served: ServedGateway;
let courier: SandboxCourier;

/** Starts the gateway, and connects a courier once its sandbox is open. */
async function serve(): Promise<void> {
  const config = loadConfig({ flags: { port: "0", dataDir, sandbox: "true", testClock: "true" }, env: {} });
  served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  const { url, admin } = served;
  courier = await connectSandboxCourier(url, { courier: await keyOf("courier"), admin: admin.keyFile });
}

/** The key of a courier, who is registered when it is first asked for. */
async function keyOf(name: string): Promise<KeyFile> {
  const { url: baseUrl, admin, gateway } = served;
  const administrator = createPetakClient({ baseUrl, signer: signerOfKeyFile(admin.keyFile) });
  const path = join(dataDir, "keys", `${name}.json`);
  const wanted = { name, displayName: name, role: Role.COURIER, path, audience: gateway.audience };
  return await ensureParticipant(administrator, wanted).finally(administrator.close);
}

async function stop(): Promise<void> {
  courier.close();
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

describe("the guide's table", () => {
  it("has the sites of the gateway, all of them", () => {
    expect(documented.map(({ reference }) => reference?.[0]).sort()).toEqual([...courier.sites.keys()].sort());
  });

  it.each(documented.map((row) => [row.reference?.[0] ?? "", row] as const))("says what happens at %s", async (ref, row) => {
    const [reserved = "", opened] = [row.Reserve?.[0], row.deposit?.[0]];
    if (reserved !== "ok") return expect(await courier.reserve(ref).catch(reasonOf)).toBe(reserved);
    const reservationId = await (opened === "opened" ? courier.deposit(ref) : courier.reserve(ref));
    // The retired site is retired before anybody comes.
    if (opened !== undefined && opened !== "opened") {
      expect(await courier.visit(ref, (await courier.issue(reservationId, Act.DEPOSIT)).accessToken)).toBe(opened);
    }
    await courier.untilEvents(reservationId, row["the courier's events"] ?? []);
    const [collected] = row.collection ?? [];
    if (collected === undefined) return;
    const forCollection = await courier.issue(reservationId, Act.COLLECT);
    expect(await courier.visit(ref, forCollection.accessToken)).toBe(collected);
  });
});

describe("petak sandbox", () => {
  const petak = (...args: string[]) => runPetak(["--url", served.url, "--key", join(dataDir, "keys", "courier.json"), "sandbox", ...args]);

  it("lists the sites, and says in words what each does", async () => {
    const { stdout, stderr } = await petak("sites");
    expect(stderr).toBe("");
    for (const [ref, siteId] of courier.sites) expect(stdout).toMatch(new RegExp(`^${ref} +${siteId}  \\w+.* `, "m"));
  });

  it("brings a parcel and collects it by a PIN", async () => {
    const reservationId = await courier.reserve("sandbox-plain");
    expect(await petak("deposit", reservationId)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for DEPOSIT/),
    });
    expect(await petak("collect", reservationId, "--pin")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for COLLECT/),
    });
    expect((await courier.eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("collects all parcels of a bundle", async () => {
    const reservationIds = [await courier.reserve("sandbox-plain"), await courier.reserve("sandbox-plain")];
    const { bundle } = await courier.client.reservations.putBundle({ requestId: randomUUID(), reservationIds });
    for (const reservationId of reservationIds) await petak("deposit", reservationId);
    expect(await petak("collect", bundle?.bundleId ?? "", "--pin")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Door \w+ opened for COLLECT/),
    });
    for (const reservationId of reservationIds) {
      await expect.poll(async () => (await courier.eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
    }
  });

  it("says why no door opened, and so does the feed", async () => {
    const reservationId = await courier.reserve("sandbox-jammed");
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
    const reservationId = await courier.deposit("sandbox-plain");
    const { pin } = await courier.issue(reservationId, Act.COLLECT, true);
    const shown = { siteId: courier.siteOf("sandbox-plain"), credential: { case: "pin", value: pin } } as const;
    expect(await courier.sandbox.visitSandboxSite(shown)).toMatchObject({ opened: true, act: Act.COLLECT });
    expect(wordOf(await courier.sandbox.visitSandboxSite(shown))).toBe("NOT_ACCEPTED");
    expect((await courier.eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("keeps what is inside when its gateway starts again", async () => {
    const reservationId = await courier.deposit("sandbox-plain");
    const before = courier.sites;
    await stop();
    await serve();
    expect(courier.sites).toEqual(before);
    expect(await courier.visit("sandbox-plain", (await courier.issue(reservationId, Act.COLLECT)).accessToken)).toBe("opened");
    expect((await courier.eventsOf(reservationId)).at(-1)).toBe("PARCEL_COLLECTED");
  });

  it("sends after a restart what its terminals had not reported, no earlier than without one", async () => {
    const reservationId = await courier.deposit("sandbox-slow");
    await stop();
    await serve();
    await courier.untilEvents(reservationId, eventsAt("sandbox-slow"));
  });

  it("tells those who wait at its doors to come again when its gateway stops", async () => {
    // The one that stops first.
    const shown = { siteId: courier.siteOf("sandbox-retired"), credential: { case: "pin", value: "00000000" } } as const;
    const waiting = Array.from({ length: 4 }, () => courier.sandbox.visitSandboxSite(shown).then(() => "judged", reasonOf));
    await Promise.race(waiting);
    await served.stop();
    // How many depends on how fast this machine stops.
    for (const outcome of await Promise.all(waiting)) expect(["judged", "SANDBOX_NOT_READY"]).toContain(outcome);
    courier.close();
    await serve();
  });

  it("puts a compartment back into use that was in doubt when its gateway ended", async () => {
    await courier.deposit("sandbox-in-doubt");
    await stop();
    await serve();
    const siteId = courier.siteOf("sandbox-in-doubt");
    const { site } = await courier.client.directory.getSite({ siteId });
    const free = async () => {
      await courier.pass(stepMs);
      const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
      return availabilities[0]?.sizeClasses.reduce((sum, { freeToPromise }) => sum + freeToPromise, 0);
    };
    await expect.poll(free, { timeout: 60_000 }).toBe(site?.compartments.length);
  });

  it("refuses a PIN where the terminal cannot have heard of it", async () => {
    const reservationId = await courier.deposit("sandbox-offline");
    await courier.untilEvents(reservationId, eventsAt("sandbox-offline"));
    const { pin, accessToken } = await courier.issue(reservationId, Act.COLLECT, true);
    const shown = { siteId: courier.siteOf("sandbox-offline"), credential: { case: "pin", value: pin } } as const;
    expect(wordOf(await courier.sandbox.visitSandboxSite(shown))).toBe("NOT_ACCEPTED");
    expect(await courier.visit("sandbox-offline", accessToken)).toBe("opened");
  });

  it("puts a retired site back", async () => {
    const isBack = async () => {
      await courier.pass(stepMs);
      return await courier.reserve("sandbox-retired").catch(reasonOf);
    };
    await courier.untilEvents(await courier.reserve("sandbox-retired"), eventsAt("sandbox-retired"));
    await expect.poll(isBack, { timeout: 60_000 }).toMatch(/^res_/);
  });

  it("throws parcels away that nobody collects", async () => {
    const reservationId = await courier.deposit("sandbox-plain");
    const look = async () => {
      await courier.pass(600_000);
      return await courier.eventsOf(reservationId);
    };
    await expect.poll(look, { timeout: 60_000 }).toContain("PARCEL_RECALLED");
    expect((await courier.eventsOf(reservationId)).slice(-3)).toEqual(["PARCEL_OVERDUE", "RESERVATION_IN_DOUBT", "PARCEL_RECALLED"]);
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
    const agentKey = await readKeyFile(join(dataDir, "sandbox", courier.siteOf("sandbox-plain"), "agent-key.json"));
    expect(await refusalOf(agentKey)).toBe("AGENT_KEY_NOT_ALLOWED");
    const shown = { case: "pin", value: "00000000" } as const;
    expect(await courier.sandbox.visitSandboxSite({ siteId: "site_0000", credential: shown }).catch(reasonOf)).toBe("SITE_NOT_FOUND");
    const other = await connectSandboxCourier(served.url, { courier: await keyOf("other"), admin: served.admin.keyFile });
    const outcomeOf = async ({ sandbox, siteOf }: SandboxCourier) =>
      await sandbox.visitSandboxSite({ siteId: siteOf("sandbox-full"), credential: shown }).then(() => "judged", reasonOf);
    const crowd = Array.from({ length: 40 }, () => outcomeOf(courier));
    // Nobody keeps a site from others.
    expect(await outcomeOf(other)).toBe("judged");
    other.close();
    expect(new Set(await Promise.all(crowd))).toEqual(new Set(["judged", "SANDBOX_SITE_BUSY"]));
  });

  it("takes the oldest places back from a participant who has many, and leaves those of others", async () => {
    const other = await connectSandboxCourier(served.url, { courier: await keyOf("other"), admin: served.admin.keyFile });
    const ofOther = await other.reserve("sandbox-plain");
    const parcel = await courier.deposit("sandbox-plain");
    const reservationIds: string[] = [];
    for (let count = 0; count < 9; count += 1) reservationIds.push(await courier.reserve("sandbox-plain"));
    // Not as long as until the others are a no-show.
    let passedMs = 0;
    const lastEvents = async () => {
      if (passedMs < 600_000) await courier.pass(6 * stepMs);
      passedMs += 6 * stepMs;
      return await Promise.all([parcel, ...reservationIds].map(async (id) => (await courier.eventsOf(id)).at(-1)));
    };
    const kept = Array.from({ length: 8 }, () => "RESERVATION_CONFIRMED");
    await expect.poll(lastEvents, { timeout: 60_000 }).toEqual(["PARCEL_RECALLED", "RESERVATION_CANCELLED", ...kept]);
    expect((await other.eventsOf(ofOther)).at(-1)).toBe("RESERVATION_CONFIRMED");
    other.close();
  });
});
