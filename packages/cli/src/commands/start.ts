import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createPetakClient, signerOfKeyFile } from "@petak/client/node";
import { createLogger } from "@petak/gateway";
import type { Command } from "commander";
import { untilAborted } from "../abort.ts";
import type { CommandModule } from "../command.ts";
import { loadDemoNetwork } from "../demo/load.ts";
import { isLoaded, markLoaded } from "../demo/loaded-mark.ts";
import { buildDemoNetwork } from "../demo/network.ts";
import { type DemoParticipants, ensureDemoParticipants } from "../demo/participants.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { addConfigOptions, readConfig } from "../serve/config-options.ts";
import { openLogFile } from "../serve/log-file.ts";
import { type ServedGateway, serveGateway } from "../serve/serve-gateway.ts";
import { createOutput, type Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";

/** `petak start`: runs a gateway with the demonstration network, for trying things. `npm start` runs it. */
export const registerStart: CommandModule = (command, { io }) => {
  addConfigOptions(command)
    .option("--demo-sites <count>", "sites of the demonstration network; 0: none", "3000")
    .option("--demo-seed <number>", "another seed gives another network", "1")
    .action(async (options: Record<string, string | undefined>, running: Command) => {
      const interruption = io.interruption();
      const config = readConfig(options, io);
      const sites = wholeNumber("--demo-sites", options.demoSites);
      const seed = wholeNumber("--demo-seed", options.demoSeed);
      const { json, color } = running.optsWithGlobals<{ json?: boolean; color?: boolean }>();
      const output = createOutput({ ...io, json, color });
      const dataDir = resolve(io.cwd, config.dataDir);
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      const logPath = join(dataDir, "gateway.log");
      const log = openLogFile(logPath, { onFailure: (sentence) => output.note(sentence) });
      const logger = createLogger({ level: config.logLevel, destination: log });
      let served: ServedGateway | undefined;
      try {
        served = await serveGateway(config, io.cwd, logger);
        const participants = await prepare(served, { config, dataDir, sites, seed, output, signal: interruption });
        greet(output, served, participants, logPath);
        const end = await Promise.race([untilAborted(interruption), served.ended]);
        if (end instanceof CliFailure) throw end;
      } catch (error) {
        if (!interruption.aborted) throw error;
      } finally {
        if (served !== undefined) output.note("Stopping …");
        try {
          await served?.stop();
        } finally {
          await log.close();
        }
      }
    });
};

interface PrepareInput {
  config: { audience: string };
  dataDir: string;
  sites: number;
  seed: number;
  output: Output;
  signal: AbortSignal;
}

/** Registers the demonstration's participants and loads its sites, unless that has been done already. */
async function prepare(served: ServedGateway, { config, dataDir, sites, seed, output, signal }: PrepareInput): Promise<DemoParticipants> {
  const clients: ReturnType<typeof createPetakClient>[] = [];
  const open = (signer: Parameters<typeof signerOfKeyFile>[0]) => {
    const client = createPetakClient({
      baseUrl: served.url,
      signer: signerOfKeyFile(signer),
      timeoutMs: 60_000,
      ...(served.certificate === undefined ? {} : { tls: { ca: served.certificate } }),
    });
    clients.push(client);
    return client;
  };
  try {
    const participants = await ensureDemoParticipants(open(served.admin.keyFile), join(dataDir, "keys"), config.audience);
    const mark = { adminId: served.admin.identity.participantId, sites, seed };
    const markPath = join(dataDir, "demo.json");
    if (sites === 0 || (await isLoaded(markPath, mark))) return participants;
    output.note(`Placing ${formatCount(sites)} demonstration sites in South-East Asia …`);
    const progress = output.progress("Loading", sites, "sites");
    try {
      await loadDemoNetwork({
        network: buildDemoNetwork({ sites, seed }),
        clientFor: (operatorKey) => {
          const keyFile = participants.operators.get(operatorKey);
          if (keyFile === undefined) throw new Error(`no key for the operator ${operatorKey}`);
          return open(keyFile);
        },
        onProgress: ({ done }) => progress.update(done),
        signal,
      });
    } finally {
      progress.finish();
    }
    await markLoaded(markPath, mark);
    return participants;
  } finally {
    for (const client of clients) client.close();
  }
}

function greet(output: Output, served: ServedGateway, { publishableKey }: DemoParticipants, logPath: string): void {
  const { bold, cyan, dim } = output.colors;
  const curl = [
    `curl ${served.url}/petak.v1.DirectoryService/FindNearest \\`,
    `    -H 'Content-Type: application/json' -H 'Authorization: Bearer ${publishableKey}' \\`,
    `    -d '{"origin": {"latitude": 1.3521, "longitude": 103.8198}, "parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}}'`,
  ];
  const url = served.url === "http://127.0.0.1:8420" ? "" : ` --url ${served.url}`;
  output.json({ url: served.url, publishableKey, log: logPath });
  output.print();
  output.print(`  ${bold("Petak is running")} at ${cyan(served.url)}`);
  output.print(`  A key for trying things: ${cyan(publishableKey)}`);
  output.print();
  output.print("  Try, in another terminal in this folder:");
  output.print();
  for (const line of curl) output.print(`  ${line}`);
  output.print(`  npx petak find 1.3521,103.8198${url}`);
  output.print(`  npx petak journey${url}`);
  output.print();
  output.print(dim(`  Cities: GeoNames, CC BY 4.0. Log: ${logPath}. Stop with Ctrl-C; the data stays.`));
}

function wholeNumber(flag: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw usageFailure(`${flag} must be a whole number, not "${text}".`);
  return Number(text);
}
