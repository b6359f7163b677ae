import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TokenShown } from "@petak/agent";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { writeKeyFile } from "@petak/client/node";
import { generateIssuerKey, generateKeyPair, holderKeyHash, mintAccessToken, provePresence } from "@petak/credential";
import { prove } from "@petak/examples/prove-presence";
import { Act, ReservationState, Role } from "@petak/protocol";
import { createTempDir, makeSite, type TempDir, useRedis } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readCodeBlocks } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { createReader, makeClone, type Reader } from "./shown-commands.ts";

const guidePath = join(repositoryDir, "docs/guides/overdue.md");
const redis = useRedis();
let folder: TempDir;
let network: TestNetwork;
let courier: TestParticipant;
let operator: TestParticipant;
let siteId: string;
let reader: Reader;
let commands: string[];

beforeAll(async () => {
  folder = await createTempDir();
  commands = (await readCodeBlocks(guidePath)).filter(({ language }) => language === "sh").map(({ code }) => code);
  // A parcel is overdue one second after its deposit.
  network = await startTestNetwork({ redis, collectWithinMs: 1000 });
  courier = await network.join("Courier", [Role.COURIER]);
  operator = await network.join("Operator", [Role.OPERATOR]);
  const site = makeSite({ latitude: 1.3521, longitude: 103.8198 });
  siteId = await network.putSite(operator, site);
  await mkdir(join(folder.path, ".petak/keys"), { recursive: true });
  await writeKeyFile(join(folder.path, ".petak/keys/courier.json"), keyFileOf(courier));
  await writeKeyFile(join(folder.path, ".petak/keys/operator-rimba.json"), keyFileOf(operator));
  await writeKeyFile(join(folder.path, "rimba.json"), keyFileOf(operator));
  await makeClone(folder.path);
  reader = await createReader(folder.path, network.baseUrl, []);
});
afterAll(async () => {
  await network.stop();
  await folder.remove();
});

/** A deposited parcel at the site. */
interface Deposited {
  reservationId: string;
  terminal: SimulatedTerminal;
}

/** Deposits a parcel at a terminal of its own. */
async function deposit(): Promise<Deposited> {
  const { reservations } = courier.client;
  const place = { case: "siteId", value: siteId } as const;
  const parcel = { widthMm: 300, heightMm: 150, depthMm: 200, massG: 1200 };
  const { reservationId = "" } = (await reservations.reserve({ requestId: randomUUID(), place, parcel })).reservation ?? {};
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  const terminal = await network.openTerminal(operator, siteId, { cabinet: [{ compartmentId: "M-1", sizeClassId: "M" }], graceMs: 100 });
  onTestFinished(() => terminal.stop());
  expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
  return { reservationId, terminal };
}

describe("the guide to overdue parcels", () => {
  it("shows commands that do what the guide says, in order", async () => {
    let parcel = await deposit();
    const said: [command: string, stdout: string][] = [];
    /** Shows the terminal a command's token and proof, and takes the parcel out. */
    async function takeOut(answer: string, proof: string): Promise<void> {
      const { accessToken } = JSON.parse(await readFile(join(folder.path, answer), "utf8")) as { accessToken: string };
      const shown: TokenShown = { token: accessToken, presence: proof.trim() };
      expect(await parcel.terminal.agent.present({ token: accessToken })).toMatchObject({ opened: false });
      expect(await parcel.terminal.agent.present(shown)).toMatchObject({ opened: true, compartmentId: "M-1" });
      parcel.terminal.cabinet.takeOut("M-1");
      parcel.terminal.cabinet.closeDoor("M-1");
      await parcel.terminal.agent.flushed();
    }
    for (const command of commands) {
      if (command.includes("journey")) {
        expect((await reader.run(command)).stdout).toMatch(/PARCEL_RECALLED/);
        continue;
      }
      if (command.includes("--key rimba.json reservations")) parcel = await deposit();
      const isList = command.includes("--overdue");
      const wanted = command
        .replaceAll("res_…", parcel.reservationId)
        .replaceAll("site_…", siteId)
        .replace("CHALLENGE", parcel.terminal.agent.challenge().challenge);
      let result = await reader.run(wanted);
      // The parcel becomes overdue a second after the deposit.
      while (isList && !result.stdout.includes(parcel.reservationId)) result = await reader.run(wanted);
      if (command.includes("curl")) expect(result.exitCode).toBe(0);
      else expect([command, result.exitCode, result.stderr]).toEqual([command, 0, ""]);
      said.push([command, result.stdout]);
      const [answer] = /\b(recall|service)\.json(?= CHALLENGE)/.exec(command) ?? [];
      if (answer !== undefined) await takeOut(answer, result.stdout);
      if (answer === "service.json") {
        const { reservations } = operator.client;
        const stateNow = async () => (await reservations.getReservation({ reservationId: parcel.reservationId })).reservation?.state;
        await expect.poll(stateNow).toBe(ReservationState.IN_DOUBT);
      }
    }
    const outputs = (word: string) => said.filter(([command]) => command.includes(word)).map(([, stdout]) => stdout);
    expect(outputs("--overdue")).toEqual([expect.stringMatching(/overdue/), expect.stringMatching(/overdue/)]);
    expect(outputs("--state recalled")).toEqual([expect.stringMatching(/res_\w+ +recalled/)]);
    expect(JSON.parse(outputs("ResolveDoubt")[0] ?? "")).toMatchObject({ reservation: { state: "RESERVATION_STATE_RECALLED" } });
  });
});

describe("the example of a holder", () => {
  it("proves presence as the rule book says", async () => {
    const holder = await generateKeyPair();
    const { privateJwk } = holder;
    const challenge = `${"B".repeat(21)}A`;
    const common = { issuerKey: await generateIssuerKey(), siteId: "site_83652b_k3v9c0x2md00004k", notBeforeMs: 0, expiresAtMs: 3_600_000 };
    const bound = { ...common, holderKeyHash: await holderKeyHash(holder.publicKey) };
    const recall = await mintAccessToken({ ...bound, act: Act.RECALL, reservationId: "res_83652b_8xk2m4p9q7w3t5z1" });
    const door = await mintAccessToken({ ...bound, act: Act.SERVICE, compartmentId: "A1" });
    const site = await mintAccessToken({ ...bound, act: Act.SERVICE });
    for (const [token, compartmentId] of [[recall], [door], [site, "B2"]] as const) {
      const expected = await provePresence({ token, challenge, privateJwk, ...(compartmentId === undefined ? {} : { compartmentId }) });
      expect(prove(privateJwk, token, challenge, compartmentId)).toBe(expected);
    }
  });
});
