import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { runPetak } from "@petak/cli/testing/run-petak";
import { writeKeyFile } from "@petak/client/node";
import {
  generateKeyPair,
  type HandoverEntry,
  type HandoverList,
  judgeHandover,
  newHandoverNonce,
  publicKeyOf,
  signSiteStatement,
  siteCode,
} from "@petak/credential";
import { Role } from "@petak/protocol";
import { drawSquares, graymapOf } from "@petak/store-app/testing/code-picture";
import { readCodes } from "@petak/store-app/testing/read-code";
import { makeSite, tempDir, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { squaresIn } from "../testing/shown-code.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const agent = await generateKeyPair();

let network: TestNetwork;
let courier: TestParticipant;
let siteId: string;
let reservationIds: string[];

/** Three confirmed reservations of the courier at a site. */
beforeAll(async () => {
  network = await startTestNetwork({ redis });
  courier = await network.join("Courier", [Role.COURIER]);
  const operator = await network.join("Operator", [Role.OPERATOR]);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "1", classes: [["M", 400, 200, 500, 20_000, 20]] });
  siteId = await network.putSite(operator, site);
  const { reservations } = courier.client;
  reservationIds = [];
  for (let count = 0; count < 3; count++) {
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await reservations.confirm({ requestId: randomUUID(), reservationId });
    reservationIds.push(reservationId);
  }
  return () => network.stop();
});

let folder: string;

/** A driver with a certified key and a manifest, who needs no gateway any more. */
beforeEach(async () => {
  folder = await tempDir();
  await writeKeyFile(join(folder, "courier.json"), keyFileOf(courier));
  const { publicKey } = await json("courier", "driver-key", "driver.jwk");
  await json("--key", "courier.json", "courier", "certify", String(publicKey), "--site", siteId, "--out", "driver.cert");
  const { parcels } = await json("--url", network.baseUrl, "--key", "courier.json", "courier", "manifest", siteId, "--out", "shop.json");
  expect(parcels).toBe(3);
});

async function json(...argv: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, exitCode } = await runPetak(["--json", ...argv], { cwd: folder });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

function entries(...conditions: Partial<HandoverEntry>[]): HandoverEntry[] {
  return [...reservationIds].sort().map((reservationId, index) => ({
    reservationId,
    labelCode: "",
    condition: "OK",
    reason: "",
    ...conditions[index],
  }));
}

function listOf(entries: HandoverEntry[]): HandoverList {
  return { siteId, direction: "IN", courierId: courier.participantId, nonce: newHandoverNonce(), atMs: Date.now(), entries };
}

async function codeOf(list: HandoverList): Promise<string> {
  return siteCode(await signSiteStatement(agent.privateJwk, agent.publicKey, list), list);
}

/** The driver's device, which reaches no gateway. */
function handover(code: string, ...options: string[]) {
  const files = ["--manifest", "shop.json", "--driver-key", "driver.jwk", "--certificate", "driver.cert"];
  return runPetak(["--url", "http://127.0.0.1:1", "courier", "handover", "--scan", ...files, ...options], {
    cwd: folder,
    stdin: Readable.from([`\n${code}\n`]),
  });
}

test("a driver without the network signs the site's list, and both have a receipt that verifies", async () => {
  const list = listOf(entries());
  const { exitCode, stdout, stderr } = await handover(await codeOf(list), "--receipt", "receipt.json");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("3 OK, 0 damaged, 0 refused");
  const receipt = JSON.parse(await readFile(join(folder, "receipt.json"), "utf8")) as Record<string, string>;
  const { list: text = "", site_statement: siteStatement = "", courier_code: answer = "" } = receipt;
  expect(stdout).toContain(answer);
  expect(await readCodes(graymapOf(drawSquares(squaresIn(stdout))))).toEqual([answer]);
  const { participant_id: courierId, key_id: keyId, private_jwk: privateJwk } = keyFileOf(courier);
  const courierKeys = [{ courierId, keyId, publicKey: publicKeyOf(privateJwk) }];
  const judged = await judgeHandover(
    { list: text, siteStatement, courierCode: answer },
    { siteId, siteKeys: [agent.publicKey], courierKeys },
  );
  expect(judged).toMatchObject({ list });
});

test("a refused or missing parcel is named, and signed only with --agree", async () => {
  const [refused, missing, kept] = entries({ condition: "REFUSED", reason: "NO_PLACE" });
  if (!refused || !missing || !kept) throw new Error("three parcels are expected");
  const code = await codeOf(listOf([refused, kept]));
  const unsigned = await handover(code);
  expect(unsigned.exitCode).toBe(1);
  expect(unsigned.stdout).toMatch(
    new RegExp(`${refused.reservationId}  REFUSED NO_PLACE\n *${missing.reservationId}  not on the site's list`),
  );
  expect(unsigned.stderr).toContain("--agree");
  expect((await handover(code, "--agree")).exitCode).toBe(0);
});

test("a parcel that the driver does not know is not signed for, until it is named by its label", async () => {
  const code = await codeOf(
    listOf([{ reservationId: "", labelCode: "SG 4711", condition: "REFUSED", reason: "NOT_ANNOUNCED" }, ...entries()]),
  );
  const unsigned = await handover(code, "--agree");
  expect(unsigned.exitCode).toBe(1);
  expect(unsigned.stdout).toContain("1 on the site's list is none of your parcels");
  expect((await handover(code, "--agree", "--label", "SG 4711")).exitCode).toBe(0);
});

test("a code of another site, a changed one, and one that is none are refused, each with its sentence", async () => {
  const other = await handover(await codeOf({ ...listOf(entries()), siteId: "site_83652b_9c9c9c9c9c" }));
  expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("The code is of the site site_83652b_9c9c9c9c9c")]);
  const code = await codeOf(listOf(entries()));
  const changed = await handover(code.replace(/.~/, (end) => (end === "A~" ? "Q~" : "A~")));
  expect(changed.stderr).toMatch(/is not signed by the key that it names/);
  expect((await handover("4006381333931")).stderr).toMatch(/is no site's code/);
});
