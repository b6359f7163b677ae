import { randomUUID } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { SiteKind } from "@petak/protocol";
import { expect, test, vi } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

interface Printed {
  step: string;
  by?: string;
  reservation?: { state: string };
  events?: { type: string; proof?: { clerkId?: string } }[];
}

test("a journey at a store takes a parcel in and hands it over at a counter, without its link too", async () => {
  const [courier, operatorKey] = [await gateway.makeParticipant("Courier", "courier"), await gateway.makeParticipant("Shops", "operator")];
  const walk = (...options: string[]) =>
    gateway.petak(["--key", courier, "journey", "--operator-key", operatorKey, "--site", "store", ...options]);
  expect(await walk()).toMatchObject({ exitCode: 1, stderr: "petak: No store fits the parcel and has a place free.\n" });
  await gateway.putSite(operatorKey, { kind: SiteKind.COLLECTION_POINT });
  const disks = join(gateway.folder, randomUUID());
  await mkdir(disks);
  vi.stubEnv("TMPDIR", disks);

  const { exitCode, stdout, stderr } = await walk("--offline", "--pin", "--json");
  expect([exitCode, stderr]).toEqual([0, ""]);
  const steps = JSON.parse(stdout) as Printed[];
  expect(
    steps.map(({ step, by, reservation }) =>
      [step, by ?? reservation?.state.replace("RESERVATION_STATE_", "")].filter((part) => part !== undefined).join(": "),
    ),
  ).toEqual([
    ...["options found", "place held: HELD", "confirmed: CONFIRMED", "credential issued", "credential issued"],
    ...["device enrolled", "counter open", "clerk signed in", "link cut", "taken in: access token", "handed over: PIN"],
    ...["not heard of: CONFIRMED", "link restored", "collected: COLLECTED", "custody chain: COLLECTED"],
  ]);
  const collected = { type: "EVENT_TYPE_PARCEL_COLLECTED", proof: { clerkId: "clerk-1" } };
  expect(steps.at(-1)?.events?.at(-1)).toMatchObject(collected);

  const online = await walk();
  expect([online.exitCode, online.stderr]).toEqual([0, ""]);
  expect(online.stdout).toMatch(/The clerk takes the parcel in, by access token, and puts it on M-1/);
  expect(online.stdout).toMatch(/The clerk hands the parcel over from M-1, by access token/);
  expect(online.stdout).not.toContain("link");

  const operator = await gateway.clientOf(operatorKey);
  const { keys } = await operator.participants.listKeys({});
  expect(keys.filter(({ siteId, revokedAt }) => siteId !== "" && revokedAt === undefined)).toEqual([]);
  expect(await readdir(disks)).toEqual([]);
  vi.unstubAllEnvs();
  const more = await walk("--parcels", "2");
  expect(more).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("--site store is for one parcel that is collected") as unknown,
  });
});
