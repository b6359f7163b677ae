/**
 * The other side of a courier's example: a terminal in software, and the two people who come to it. It reads the courier's steps from
 * standard input, stands at the site that was reserved, and shows the terminal each credential: the driver the access token to deposit,
 * the recipient the PIN. What it reads it passes on, so it goes at the end of a pipe:
 *
 *     npx node examples/courier-typescript/courier.ts | npx node examples/terminal-typescript/terminal.ts
 *
 * The terminal is the real agent before a simulated cabinet. It judges the credentials by itself, as any site's does.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Agent, createAgent, createSimulatedCabinet, openAgentStore, type SimulatedCabinet } from "@petak/agent";
import { createPetakClient, createRequestSigner, generateKeyPair, type KeyFile, readKeyFile, signerOfKeyFile } from "@petak/client";
import { Mode } from "@petak/protocol";

/** What of a courier's steps concerns a terminal. */
type Step =
  | { step: "place held"; siteId: string; operatorId: string }
  | { step: "credential issued"; act: "DEPOSIT"; accessToken: string }
  | { step: "credential issued"; act: "COLLECT"; pin: string };

interface Terminal {
  agent: Agent;
  cabinet: SimulatedCabinet;
  close(): Promise<void>;
}

/** Puts a terminal at a site, with a key that the site's operator registers for it. */
async function openTerminal(gateway: string, operatorKey: KeyFile, siteId: string): Promise<Terminal> {
  const operator = createPetakClient({ baseUrl: gateway, signer: signerOfKeyFile(operatorKey) });
  const { site } = await operator.directory.getSite({ siteId });
  const { privateJwk, publicKey } = await generateKeyPair();
  const { key } = await operator.participants.registerKey({
    requestId: randomUUID(),
    publicKey,
    mode: operatorKey.mode === "live" ? Mode.LIVE : Mode.TEST,
    siteId,
    label: "terminal in software",
  });
  const keyId = key?.keyId ?? "";
  const { participant_id: participantId, audience } = operatorKey;
  const client = createPetakClient({ baseUrl: gateway, signer: createRequestSigner({ participantId, keyId, privateJwk, audience }) });
  const disk = await mkdtemp(join(tmpdir(), "petak-terminal-"));
  const store = openAgentStore(join(disk, "agent.db"));
  const compartments = (site?.sizeClasses ?? []).flatMap(({ sizeClassId, installed }) =>
    Array.from({ length: installed }, (_, index) => ({ compartmentId: `${sizeClassId}-${index + 1}`, sizeClassId })),
  );
  const cabinet = createSimulatedCabinet({ compartments });
  const warn = (fields: object, message: string) => void process.stderr.write(`terminal: ${message} ${JSON.stringify(fields)}\n`);
  const agent = createAgent({
    client: client.agents,
    siteId,
    reportKey: { keyId, privateJwk },
    store,
    cabinet,
    logger: { info: () => undefined, warn, error: warn },
  });
  await agent.start();
  return {
    agent,
    cabinet,
    async close() {
      await agent.stop();
      store.close();
      await rm(disk, { recursive: true });
      await operator.participants.revokeKey({ requestId: randomUUID(), keyId });
      client.close();
      operator.close();
    },
  };
}

/** Somebody comes to the terminal, shows a credential, does what it is for, closes the door and goes. */
async function visit({ agent, cabinet }: Terminal, step: Step & { step: "credential issued" }): Promise<void> {
  const shown = await agent.present(step.act === "DEPOSIT" ? { token: step.accessToken } : { pin: step.pin });
  if (!shown.opened) throw new Error(`the terminal refused the credential (${shown.refusal})`);
  if (step.act === "DEPOSIT") cabinet.putIn(shown.compartmentId);
  else cabinet.takeOut(shown.compartmentId);
  cabinet.closeDoor(shown.compartmentId);
  // A PIN opens only for what the gateway has told the terminal, so the deposit is reported and the answer fetched before the next visit.
  await agent.flushed();
  await agent.syncNow();
}

async function findKey(folder: string, participantId: string): Promise<KeyFile> {
  for (const name of await readdir(folder)) {
    const keyFile = name.endsWith(".json") ? await readKeyFile(join(folder, name)) : undefined;
    if (keyFile?.participant_id === participantId) return keyFile;
  }
  throw new Error(`${folder} holds no key of ${participantId}, the operator of the site; a terminal needs one`);
}

const { values } = parseArgs({
  options: {
    gateway: { type: "string", default: process.env.PETAK_URL ?? "http://127.0.0.1:8420" },
    /** A folder with the key files of the sites' operators. */
    keys: { type: "string", default: ".petak/keys" },
  },
});
let terminal: Terminal | undefined;
try {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${line}\n`);
    const step = JSON.parse(line) as Step;
    if (step.step === "place held") {
      terminal = await openTerminal(values.gateway, await findKey(values.keys, step.operatorId), step.siteId);
    } else if (step.step === "credential issued" && terminal !== undefined) {
      await visit(terminal, step);
    }
  }
} catch (error) {
  process.stderr.write(`terminal: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  await terminal?.close();
}
