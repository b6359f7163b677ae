import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair } from "@petak/client/node";
import type { Bundle, Reservation } from "@petak/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let courier: string;
let operator: string;
let siteId: string;
let reservationId: string;
let bundleId: string;
let holder: string;

const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };

/** A credential as the command prints it for machines. */
interface Printed {
  accessToken: string;
  pin?: string;
  expiresAt: string;
  credentialHash: string;
  parentCredentialHash?: string;
}

beforeAll(async () => {
  courier = await gateway.makeParticipant("Courier", "courier");
  operator = await gateway.makeParticipant("Operator", "operator");
  siteId = await gateway.putSite(operator);
  const { reservations } = await gateway.clientOf(courier);
  const confirmed = async () => {
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
    const made = (reservation as Reservation).reservationId;
    await reservations.confirm({ requestId: randomUUID(), reservationId: made });
    return made;
  };
  reservationId = await confirmed();
  const { bundle } = await reservations.putBundle({ requestId: randomUUID(), reservationIds: [await confirmed(), await confirmed()] });
  bundleId = (bundle as Bundle).bundleId;
  holder = Buffer.from((await generateKeyPair()).publicKey).toString("base64");
});

const credentials = (...args: string[]) => gateway.petak(["--key", courier, "credentials", ...args]);

async function printed<Result = Printed>(...args: string[]): Promise<Result> {
  const { exitCode, stdout, stderr } = await credentials(...args, "--json");
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Result;
}

const hash = expect.stringMatching(/^[\w-]{43}$/) as unknown as string;

describe("petak credentials", () => {
  test("says what to do first for a reservation that is not confirmed", async () => {
    const { reservations } = await gateway.clientOf(courier);
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
    const { exitCode, stderr } = await credentials("issue", (reservation as Reservation).reservationId);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ is HELD and cannot become COLLECTED: confirm it first, then issue the credential \[ILLEGAL_STATE\]$/m);
  });

  test("issues a credential, optionally with a PIN, and shows its validity", async () => {
    expect(await printed("issue", reservationId)).toMatchObject({ accessToken: expect.stringMatching(/^ey/), credentialHash: hash });
    expect(await printed("issue", reservationId, "--act", "deposit")).not.toHaveProperty("pin");
    const { stdout, exitCode } = await credentials("issue", reservationId, "--pin");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Access token +ey[\w.-]+$/m);
    expect(stdout).toMatch(/^PIN +\d{8}$/m);
    expect(stdout).toMatch(/^Opens +from \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
    expect(stdout).toMatch(/^Hash +[\w-]{43}$/m);
  });

  test("issues a bundle's credential, and an operator's credential for service", async () => {
    expect(await printed("issue", bundleId, "--pin")).toMatchObject({ pin: expect.stringMatching(/^\d{8}$/), credentialHash: hash });
    const { exitCode, stdout } = await gateway.petak(["--key", operator, "credentials", "issue", siteId, "--holder", holder, "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ accessToken: expect.stringMatching(/^ey/), credentialHash: hash });
  });

  test("delegates, lists and revokes a credential", async () => {
    const parent = await printed("issue", reservationId);
    await writeFile(join(gateway.folder, "recipient.token"), `${parent.accessToken}\n`);
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);
    const child = await printed("delegate", "@recipient.token", "--until", until.toISOString());
    expect(child.parentCredentialHash).toBe(parent.credentialHash);
    expect(Date.parse(child.expiresAt)).toBe(until.getTime());
    expect((await credentials("list", reservationId)).stdout).toMatch(
      new RegExp(`^${child.credentialHash} +delegated +\\S+Z +${parent.credentialHash}$`, "m"),
    );
    const { stdout } = await credentials("revoke", reservationId, parent.credentialHash, "--pin");
    expect(stdout).toContain(`Revoked ${parent.credentialHash} and the PIN of ${reservationId}.`);
    const { delegations, revokedCredentials } = await printed<Reservation>("list", reservationId);
    expect(delegations).toEqual([expect.objectContaining({ credentialHash: child.credentialHash, revokedAt: expect.any(String) })]);
    expect(revokedCredentials).toEqual([expect.objectContaining({ credentialHash: parent.credentialHash })]);
    const again = await credentials("delegate", parent.accessToken, "--json");
    expect(again.exitCode).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({ error: { reason: "CREDENTIAL_NOT_ACCEPTED", metadata: { refusal: "REVOKED" } } });
  });

  test("does the same for a bundle", async () => {
    expect((await credentials("list", bundleId)).stdout).toContain("None was delegated or revoked.");
    const { accessToken, credentialHash } = await printed("issue", bundleId);
    await printed("delegate", accessToken);
    expect(await printed("revoke", bundleId, credentialHash)).toEqual({ revoked: { for: bundleId, credentialHash, pin: false } });
    const { delegations, revokedCredentials } = await printed<Bundle>("list", bundleId);
    expect([delegations.length, revokedCredentials.length]).toEqual([1, 1]);
  });

  test.each(["-", "--", "-6", "_-"])(
    "takes a hash that begins with %s for a hash, and says that it was never issued",
    async (beginning) => {
      const credentialHash = beginning.padEnd(43, "A");
      const { exitCode, stdout } = await credentials("revoke", reservationId, credentialHash, "--json");
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        error: { reason: "CREDENTIAL_NOT_FOUND", message: expect.stringContaining(credentialHash) },
      });
    },
  );

  test("lets an operator revoke a credential for service", async () => {
    const issued = await gateway.petak(["--key", operator, "credentials", "issue", siteId, "--holder", holder, "--json"]);
    const { credentialHash } = JSON.parse(issued.stdout) as Printed;
    const { exitCode, stdout } = await gateway.petak(["--key", operator, "credentials", "revoke", siteId, credentialHash]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Revoked ${credentialHash} of ${siteId}.`);
    expect((await credentials("revoke", siteId, credentialHash)).exitCode).toBe(1);
    expect((await credentials("revoke", siteId, "--pin")).exitCode).toBe(2);
  });

  test("ends with 1 if the gateway refuses or a file cannot be read", async () => {
    const { exitCode, stdout } = await gateway.petak(["--key", operator, "credentials", "issue", reservationId, "--json"]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { reason: "RESERVATION_NOT_FOUND" } });
    const noFile = await credentials("delegate", "@nothing.token");
    expect(noFile).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/nothing\.token cannot be read/) });
  });

  test.each([
    ["an id of nothing", ["issue", "parcel-7"], /Write the id of a reservation/],
    ["an act that is none", ["issue", "RES", "--act", "lend"], /Write deposit, collect or recall/],
    ["a key that is none", ["issue", "RES", "--holder", "abc"], /32 bytes/],
    ["a recall without a key", ["issue", "RES", "--act", "recall"], /--holder/],
    ["a PIN to deposit", ["issue", "RES", "--act", "deposit", "--pin"], /--pin is only for collect/],
    ["a door of a reservation", ["issue", "RES", "--door", "A1"], /--door is for a site/],
    ["a bundle's act", ["issue", "BDL", "--act", "collect"], /--act is for a reservation/],
    ["nothing to revoke", ["revoke", "RES"], /Give the hash of the access token/],
    ["a hash that is none", ["revoke", "RES", "nonsense"], /Write the hash of an access token, 43 letters/],
  ])("says so of %s, and ends with 2", async (_, args, message) => {
    const named = args.map((arg) => arg.replace("RES", reservationId).replace("BDL", bundleId));
    const { exitCode, stderr } = await credentials(...named);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});
