/**
 * The counterpart of a courier's example: a terminal in software, and the two people who come to it. It reads the courier's steps from
 * standard input, opens a terminal at the reserved site, and shows it each credential: the driver's access token to deposit, and the
 * recipient's PIN. It forwards its input, so it belongs at the end of a pipe:
 *
 *     npx node examples/courier-typescript/courier.ts | npx node examples/terminal-typescript/terminal.ts
 *
 * The terminal is the real agent with a simulated cabinet. It judges the credentials by itself, as at any site.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { installTerminal, type SimulatedTerminal } from "@petak/agent/simulation";
import { createPetakClient, type KeyFile, readKeyFile, signerOfKeyFile } from "@petak/client/node";

/** The steps of a courier that concern a terminal. */
type Step =
  | { step: "place held"; siteId: string; operatorId: string }
  | { step: "credential issued"; act: "DEPOSIT"; accessToken: string }
  | { step: "credential issued"; act: "COLLECT"; pin: string };

interface Terminal {
  terminal: SimulatedTerminal;
  close(): Promise<void>;
}

/** Opens a terminal at a site, with a key that the site's operator registers for it. */
async function openTerminal(url: string, operatorKey: KeyFile, siteId: string): Promise<Terminal> {
  const operator = createPetakClient({ baseUrl: url, signer: signerOfKeyFile(operatorKey) });
  const { site } = await operator.directory.getSite({ siteId });
  if (site === undefined) throw new Error(`the gateway did not return site ${siteId}`);
  const warn = (fields: object, message: string) => void process.stderr.write(`terminal: ${message} ${JSON.stringify(fields)}\n`);
  const logger = { info: () => undefined, warn, error: warn };
  const terminal = await installTerminal({ url, operator, operatorKey, site, logger });
  await terminal.start();
  return {
    terminal,
    async close() {
      await terminal.remove();
      operator.close();
    },
  };
}

/** Somebody comes to the terminal, shows a credential, deposits or collects, closes the door and leaves. */
async function visit({ terminal }: Terminal, step: Step & { step: "credential issued" }): Promise<void> {
  const shown = await terminal.visit(step.act === "DEPOSIT" ? { token: step.accessToken } : { pin: step.pin });
  if (!shown.opened) throw new Error(`the terminal refused the credential (${shown.refusal})`);
  // A PIN opens only after the terminal has received it from the gateway, so the terminal synchronizes before the next visit.
  await terminal.agent.syncNow();
}

async function findKey(folder: string, participantId: string): Promise<KeyFile> {
  for (const name of await readdir(folder)) {
    const keyFile = name.endsWith(".json") ? await readKeyFile(join(folder, name)) : undefined;
    if (keyFile?.participant_id === participantId) return keyFile;
  }
  throw new Error(`${folder} has no key of ${participantId}, the operator of the site, which a terminal needs`);
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
  // After a failure its input may still be open, which would keep the process.
  process.stdin.destroy();
}
