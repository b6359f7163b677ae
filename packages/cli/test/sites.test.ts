import { randomUUID } from "node:crypto";
import { type Site, SiteLifecycle } from "@petak/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let key: string;
let courier: string;
let siteId: string;
let reservationId: string;

beforeAll(async () => {
  key = await gateway.makeParticipant("Operator", "operator");
  siteId = await gateway.putSite(key);
  courier = await gateway.makeParticipant("Courier", "courier");
  const { reservations } = await gateway.clientOf(courier);
  const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  reservationId = reservation?.reservationId ?? "";
});

const sites = (...args: string[]) => gateway.petak(["--key", key, "sites", ...args]);
const site = async () => (await (await gateway.clientOf(key)).directory.getSite({ siteId })).site;

describe("petak sites", () => {
  test("pauses and resumes a site", async () => {
    expect((await sites("pause", siteId)).stdout).toContain(`Paused: ${siteId}.`);
    expect((await site())?.lifecycle).toBe(SiteLifecycle.MAINTENANCE);
    await expect
      .poll(async () => (await gateway.petak(["--key", courier, "reservations"])).stdout)
      .toMatch(new RegExp(`^${reservationId} +held, cannot be kept +`, "m"));
    const events = await gateway.petak(["--key", courier, "chain", reservationId, "--events"]);
    expect(events.stdout).toMatch(/RESERVATION_SITE_CHANGED .* HELD +paused, cannot be kept *$/m);
    expect((await sites("resume", siteId)).stdout).toContain(`Back in service: ${siteId}.`);
    expect((await site())?.lifecycle).toBe(SiteLifecycle.ACTIVE);
  });

  test("lists all sites, then what has changed since the last run", async () => {
    const run = async (...args: string[]) => await gateway.petak(["--key", courier, "sites", "list", ...args]);
    expect((await run()).stdout).toMatch(/^SITE +REFERENCE +PHASE +COUNTRY +NAME *$/m);
    const lines = async () => {
      const { stdout, exitCode } = await run("--since", "sites.cursor", "--country", "SG", "--json");
      expect(exitCode).toBe(0);
      return stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { site?: Site; tombstone?: Site });
    };
    expect((await lines()).map((line) => line.site?.siteId)).toEqual([siteId]);
    expect(await lines()).toEqual([]);
    const { stdout } = await run("--since", "sites.cursor", "--country", "SG");
    expect(stdout).toBe("Nothing has changed.\n");
    await sites("pause", siteId);
    expect(await lines()).toMatchObject([{ site: { siteId, lifecycle: "SITE_LIFECYCLE_MAINTENANCE" } }]);
    await sites("resume", siteId);
    expect((await run("--since", "sites.cursor", "--country", "SG")).stdout).toMatch(new RegExp(`^${siteId} +\\S+ +in service +SG +`, "m"));
    // A cursor for other countries is not taken, and the file stays as it was.
    const refused = await run("--since", "sites.cursor");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/delete sites\.cursor \[CURSOR_INVALID\]/)]);
    expect(await lines()).toEqual([]);
    expect((await run("--since", ".")).exitCode).toBe(1);
  });

  test("retires a site with live reservations only with a decision about them", async () => {
    const refused = await sites("retire", siteId);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/: --live drain, or --live cancel \[SITE_IN_USE\]/)]);
    expect((await sites("retire", siteId, "--live", "drain")).stdout).toContain(`Retired ${siteId}.`);
    expect(await site()).toMatchObject({ lifecycle: SiteLifecycle.DECOMMISSIONED, draining: true });
  });
});
