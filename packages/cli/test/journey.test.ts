import { randomUUID } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PetakClient } from "@petak/client/node";
import { ReservationState } from "@petak/protocol";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { PetakRun } from "../src/testing/run-petak.ts";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let courier: PetakClient;
let operator: PetakClient;
let keys: { courier: string; operator: string };
/** Where the terminals of a test have their disks. */
let disks: string;

beforeAll(async () => {
  keys = { courier: await gateway.makeParticipant("Courier", "courier"), operator: await gateway.makeParticipant("Operator", "operator") };
  courier = await gateway.clientOf(keys.courier);
  operator = await gateway.clientOf(keys.operator);
  await gateway.putSite(keys.operator);
});
beforeEach(async () => {
  disks = join(gateway.folder, randomUUID());
  await mkdir(disks);
  vi.stubEnv("TMPDIR", disks);
  return () => vi.unstubAllEnvs();
});

/** Walks a journey and interrupts it when it says something. */
async function journey(options: { operatorKey?: string; interruptAt?: RegExp } = {}): Promise<PetakRun> {
  const interruption = new AbortController();
  const { operatorKey = keys.operator, interruptAt } = options;
  return await gateway.petak(["--key", keys.courier, "journey", "--operator-key", operatorKey], {
    interruption: interruption.signal,
    onPrint: (text) => {
      if (interruptAt?.test(text)) interruption.abort(new Error("Interrupted."));
    },
  });
}

async function expectNothingLeft({ stdout }: PetakRun): Promise<void> {
  const reservationId = /res_\w+/.exec(stdout)?.[0] ?? "";
  const { reservation } = await courier.reservations.getReservation({ reservationId });
  expect(reservation?.state).toBe(ReservationState.CANCELLED);
  const terminals = (await operator.participants.listKeys({})).keys.filter(({ siteId }) => siteId !== "");
  expect(terminals.filter(({ revokedAt }) => revokedAt === undefined)).toEqual([]);
  expect(await readdir(disks)).toEqual([]);
}

describe("a journey that does not end", () => {
  test("cancels its reservation if something fails", async () => {
    const result = await journey({ operatorKey: keys.courier });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/^The reservation res_\w+ was cancelled, so its place is free again\.\npetak: The site's operator is /);
    await expectNothingLeft(result);
  });

  test.each([
    ["while the place is held", /Place held/],
    ["when it is confirmed", /Confirmed/],
    ["when the terminal runs", /A simulated terminal/],
  ])("cancels its reservation and removes its terminal if it is interrupted %s", async (_, interruptAt) => {
    const result = await journey({ interruptAt });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/^The reservation res_\w+ was cancelled, so its place is free again\.\npetak: Interrupted\.\n$/);
    await expectNothingLeft(result);
  });

  test("reports that a deposited parcel keeps its place", async () => {
    const result = await journey({ interruptAt: /Deposited/ });
    expect(result.stderr).toMatch(/^The reservation res_\w+ keeps its place: .*\npetak: Interrupted\.\n$/);
    expect(await readdir(disks)).toEqual([]);
  });
});

test("following a test clock requires a gateway that has one", async () => {
  const result = await gateway.petak(["--key", keys.courier, "journey", "--operator-key", keys.operator, "--test-clock"]);
  expect([result.exitCode, result.stdout]).toEqual([1, ""]);
  expect(result.stderr).toBe("petak: The gateway has no test clock. Start it with: petak gateway --test-clock\n");
});

test("a journey of several parcels names the parcel of each step", async () => {
  const { exitCode, stdout, stderr } = await gateway.petak([
    "--key",
    keys.courier,
    "journey",
    "--operator-key",
    keys.operator,
    "--parcels",
    "2",
  ]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const ids = [...new Set(stdout.match(/res_\w+/g))];
  expect(ids).toHaveLength(2);
  for (const id of ids) {
    expect(stdout).toContain(`Confirmed\n    ${id}\n`);
    expect(stdout).toMatch(new RegExp(`Deposited\n    ${id}, compartment \\S+, the gateway says DEPOSITED`));
    expect(stdout).toContain(`Collected\n    ${id}, the gateway says COLLECTED`);
    expect(stdout).toContain(`The custody chain of ${id}`);
  }
  expect(stdout).not.toContain(" 0 m away");
});

test("a journey at a terminal without a link shows that the gateway hears of everything afterwards", async () => {
  const { exitCode, stdout, stderr } = await gateway.petak([
    ...["--key", keys.courier, "journey", "--operator-key", keys.operator, "--site", "terminal", "--offline", "--pin", "--json"],
  ]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const steps = JSON.parse(stdout) as { step: string; by?: string; reservation?: { state: string }; events?: { offline?: boolean }[] }[];
  expect(
    steps.map(({ step, by, reservation }) =>
      [step, by ?? reservation?.state.replace("RESERVATION_STATE_", "")].filter((part) => part !== undefined).join(": "),
    ),
  ).toEqual([
    ...["options found", "place held: HELD", "confirmed: CONFIRMED", "credential issued", "credential issued"],
    ...["device enrolled", "program ready", "link cut", "door opened: access token", "door opened: PIN", "not heard of: CONFIRMED"],
    ...["link restored", "collected: COLLECTED", "custody chain: COLLECTED"],
  ]);
  const { keys: devices } = await operator.participants.listKeys({});
  expect(devices.filter(({ siteId, revokedAt }) => siteId !== "" && revokedAt === undefined)).toEqual([]);
  expect(await readdir(disks)).toEqual([]);
  const more = await gateway.petak(["--key", keys.courier, "journey", "--offline", "--recall"]);
  expect(more).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--offline is for one parcel that is collected") as unknown });
});
