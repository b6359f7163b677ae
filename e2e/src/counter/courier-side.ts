import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type PetakRun, runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import { Act, type Money, ParcelRequirement, type Purpose } from "@petak/protocol";
import { tempDir } from "@petak/testkit";
import { keyFileOf, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { expect } from "vitest";

const measures = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** What {@link CourierSide.announce} has of a parcel beside its label. */
export interface Announced {
  /** Default: the courier's site. */
  readonly siteId?: string;
  readonly purpose?: Purpose;
  readonly requirements?: ParcelRequirement[];
  /** Due at the counter if the parcel is one of cash on delivery. */
  readonly cashDue?: Money;
}

/** A courier of a site: its office, and its driver with a device of its own. */
export interface CourierSide {
  /** Reserves without confirming. Returns the reservation. */
  reserve(label?: string, what?: Announced): Promise<string>;
  /** Reserves and confirms. Returns the reservation. */
  announce(label: string, what?: Announced): Promise<string>;
  /** The code for an act, as its owner shows it. Default: to collect. */
  codeOf(reservationId: string, act?: Act): Promise<string>;
  /** The driver scans a store's code, and signs what differs only if told so. Returns the answer, and what the device shows. @param argv of `petak courier handover` */
  driverSigns(storeCode: string, direction: "in" | "out", ...argv: string[]): Promise<{ readonly answer: string; readonly shown: string }>;
}

/** Makes the courier's side, with the network's clock. Call it within a test or a hook of one. */
export async function createCourierSide(options: {
  network: TestNetwork;
  courier: TestParticipant;
  siteId: string;
  now: () => number;
}): Promise<CourierSide> {
  const { network, courier, siteId, now } = options;
  const { reservations } = courier.client;
  const folder = await tempDir();
  await writeKeyFile(join(folder, "courier.json"), keyFileOf(courier));

  async function office(...argv: string[]): Promise<string> {
    return done(await runPetak(["--url", network.baseUrl, ...argv], { cwd: folder, now }));
  }

  const { publicKey } = JSON.parse(await office("--json", "courier", "driver-key", "driver.jwk")) as { publicKey: string };
  await office("--key", "courier.json", "courier", "certify", publicKey, "--out", "driver.cert");

  async function reserve(label = "", what: Announced = {}): Promise<string> {
    const { siteId: at = siteId, purpose, requirements = [], cashDue } = what;
    const hasCash = requirements.includes(ParcelRequirement.CASH_ON_DELIVERY);
    const parcel = { ...measures, requirements, labelCodes: label === "" ? [] : [label], ...(hasCash && cashDue && { cashDue }) };
    const place = { case: "siteId", value: at } as const;
    const asked = { requestId: randomUUID(), place, parcel, ...(purpose !== undefined && { purpose }) };
    return (await reservations.reserve(asked)).reservation?.reservationId ?? "";
  }

  return {
    reserve,
    async announce(label, what) {
      const reservationId = await reserve(label, what);
      await reservations.confirm({ requestId: randomUUID(), reservationId });
      return reservationId;
    },
    async codeOf(reservationId, act = Act.COLLECT) {
      return (await reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
    },
    async driverSigns(storeCode, direction, ...argv) {
      await office("--key", "courier.json", "courier", "manifest", siteId, "--direction", direction, "--out", `${direction}.json`);
      const files = ["--manifest", `${direction}.json`, "--driver-key", "driver.jwk", "--certificate", "driver.cert"];
      const receipt = `receipt-${direction}.json`;
      // The driver has no network.
      const command = ["--url", "http://127.0.0.1:1", "courier", "handover", "--scan", ...files, "--receipt", receipt, ...argv];
      const shown = done(await runPetak(command, { cwd: folder, now, stdin: Readable.from([`${storeCode}\n`]) }));
      return { answer: (JSON.parse(await readFile(join(folder, receipt), "utf8")) as { courier_code: string }).courier_code, shown };
    },
  };
}

function done({ exitCode, stdout, stderr }: PetakRun): string {
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}
