import { mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { createPetakClient, signerOfKeyFile } from "@petak/client/node";
import { type Config, createLogger, type Logger, type Neighbour } from "@petak/gateway";
import type { Command } from "commander";
import { orAborted, untilAborted } from "../abort.ts";
import { findAppFolder } from "../agent/counter-options.ts";
import type { CommandModule } from "../command.ts";
import { defaultKeyPath, defaultUrl } from "../defaults.ts";
import { ensureDemoRoot } from "../demo/demo-root.ts";
import { type DemoShop, openDemoShop } from "../demo/demo-shop.ts";
import { type DemoStore, openDemoStore, storeOperator } from "../demo/demo-store.ts";
import { loadDemoNetwork } from "../demo/load.ts";
import { isLoaded, markLoaded } from "../demo/loaded-mark.ts";
import { buildDemoNetwork } from "../demo/network.ts";
import { type DemoParticipants, ensureDemoParticipants } from "../demo/participants.ts";
import { usageFailure } from "../failure.ts";
import { addConfigOptions, readConfig } from "../serve/config-options.ts";
import { openLogFile } from "../serve/log-file.ts";
import { type ServedGateway, serveGateway } from "../serve/serve-gateway.ts";
import { workersOf } from "../serve/workers/serve-workers.ts";
import { createOutput, type Output } from "../terminal/output.ts";
import { formatCount } from "../terminal/progress.ts";

/** The licence of the demonstration's open directory is that of its positions; the rest of it is made up. */
const demoDirectory = { openDirectoryLicence: "CC-BY-4.0", openDirectoryPublisher: "GeoNames (cities); everything else is made up" };

const feedPath = "/feed/v1/manifest.json";

/** `petak start`: runs a gateway with the demonstration network, for trying things. `npm start` runs it. */
export const registerStart: CommandModule = (command, { io }) => {
  addConfigOptions(command)
    .option("--demo-sites <count>", "sites of the demonstration network; 0: none", "3000")
    .option("--demo-seed <number>", "another seed gives another network", "1")
    .action(async (options: Record<string, string | undefined>, running: Command) => {
      const interruption = io.interruption();
      const sites = wholeNumber("--demo-sites", options.demoSites);
      const seed = wholeNumber("--demo-seed", options.demoSeed);
      const given = { ...readConfig(options, io), reflection: true };
      if (given.tlsClientCa !== "") {
        throw usageFailure("petak start loads its network without a client certificate. Take petak gateway with --tls-client-ca.");
      }
      if (workersOf(given) > 1) throw usageFailure("petak start runs in one process; petak gateway has --workers.");
      // Somebody who states a licence publishes a network of their own.
      const publishesDemo = sites > 0 && given.openDirectoryLicence === "";
      const config = publishesDemo ? { ...given, ...demoDirectory } : given;
      const { json, color } = running.optsWithGlobals<{ json?: boolean; color?: boolean }>();
      const output = createOutput({ ...io, json, color });
      const dataDir = resolve(io.cwd, config.dataDir);
      await mkdir(join(dataDir, "keys"), { recursive: true, mode: 0o700 });
      const logPath = join(dataDir, "gateway.log");
      const log = openLogFile(logPath, { onFailure: (sentence) => output.note(sentence) });
      const logger = createLogger({ level: config.logLevel, destination: log });
      let served: ServedGateway | undefined;
      let store: DemoStore | undefined;
      let shop: DemoShop | undefined;
      let isPrepared = false;
      // Aborts with the failure when there is nothing to go on with, also while the demonstration is prepared.
      const lost = new AbortController();
      const signal = AbortSignal.any([interruption, lost.signal]);
      try {
        await ensureDemoRoot(dataDir, io.now());
        const hasSandbox = config.sandbox || sites > 0;
        served = await serveGateway({ ...config, sandbox: hasSandbox }, io.cwd, logger, {
          openDirectoryNetwork: publishesDemo ? "test" : "live",
          neighbours: () => neighboursOf({ store, shop }),
          readinessChecks: {
            demonstration() {
              if (!isPrepared) throw new Error("the demonstration network is being prepared");
            },
          },
        });
        void served.ended.then((failure) => lost.abort(failure));
        const participants = await orAborted(prepare(served, { dataDir, sites, seed, output, signal }), signal);
        store = sites === 0 ? undefined : await openStore(served, participants, { config, dataDir, logger, output, signal });
        shop = sites === 0 ? undefined : await openShop(served, participants, { config, logger, output });
        isPrepared = true;
        greet(
          output,
          served,
          participants,
          { store, shop },
          {
            ...{ logPath, publishesDemo, hasSandbox, keyPath: relative(io.cwd, join(dataDir, "keys/courier.json")) },
          },
        );
        await untilAborted(signal);
        lost.signal.throwIfAborted();
      } catch (error) {
        if (lost.signal.aborted) throw lost.signal.reason;
        if (!interruption.aborted) throw error;
      } finally {
        if (served !== undefined) output.note("Stopping …");
        try {
          await shop?.stop();
          await store?.device.stop();
          await served?.stop();
        } finally {
          await log.close();
        }
        if (served !== undefined) output.note(`Stopped. The data is in ${dataDir}.`);
      }
    });
};

interface PrepareInput {
  dataDir: string;
  sites: number;
  seed: number;
  output: Output;
  signal: AbortSignal;
}

/** Registers the demonstration's participants and loads its sites, unless that has been done already. */
async function prepare(served: ServedGateway, { dataDir, sites, seed, output, signal }: PrepareInput): Promise<DemoParticipants> {
  const clients: ReturnType<typeof createPetakClient>[] = [];
  const open = (signer: Parameters<typeof signerOfKeyFile>[0]) => {
    const client = createPetakClient({
      baseUrl: served.url,
      signer: signerOfKeyFile(signer),
      timeoutMs: 60_000,
      tls: served.tls,
    });
    clients.push(client);
    return client;
  };
  try {
    const participants = await ensureDemoParticipants(open(served.admin.keyFile), join(dataDir, "keys"), served.gateway.audience);
    const mark = { adminId: served.admin.identity.participantId, sites, seed };
    const markPath = join(dataDir, "demo.json");
    if (sites === 0 || (await isLoaded(markPath, mark))) return participants;
    output.note(`Placing ${formatCount(sites)} demonstration sites in South-East Asia …`);
    // Before the progress begins, whose estimate would else take this second for slow loading.
    const network = buildDemoNetwork({ sites, seed });
    const progress = output.progress("Loading", sites, "sites");
    try {
      await loadDemoNetwork({
        network,
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

interface StoreInput extends Pick<PrepareInput, "dataDir" | "output" | "signal"> {
  config: Config;
  logger: Logger;
}

/** Opens the demonstration's store beside the gateway. Undefined, after a note, if that is not possible: everything else works without. */
async function openStore(served: ServedGateway, { operators }: DemoParticipants, input: StoreInput): Promise<DemoStore | undefined> {
  const { config, dataDir, logger, output, signal } = input;
  const operatorKey = operators.get(storeOperator);
  if (operatorKey === undefined) return undefined;
  const operator = createPetakClient({ baseUrl: served.url, tls: served.tls, signer: signerOfKeyFile(operatorKey) });
  try {
    return await openDemoStore({
      ...{ operator, operatorKey, dataDir, signal, gatewayUrl: served.url, tls: served.tls, software: "petak start" },
      serves: { host: "127.0.0.1", port: config.port === 0 ? 0 : served.gateway.address.port + 1, appFolder: findAppFolder() },
      tell: (fact) => logger.info({ fact }, "the demonstration store"),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    output.note(`The demonstration store does not run: ${(error as Error).message}`);
    return undefined;
  } finally {
    operator.close();
  }
}

/** Opens the demonstration's shop beside the gateway. Undefined, after a note, if that is not possible: everything else works without. */
async function openShop(
  served: ServedGateway,
  participants: DemoParticipants,
  { config, logger, output }: Pick<StoreInput, "config" | "logger" | "output">,
): Promise<DemoShop | undefined> {
  // Neither the shop nor a browser takes a certificate that its system does not know.
  if (served.tls !== undefined) return undefined;
  const port = config.port === 0 ? 0 : served.gateway.address.port + 2;
  try {
    const onError = (error: Error) => logger.warn({ err: error }, "the demonstration shop");
    return await openDemoShop({ gatewayUrl: served.url, participants, port, onError });
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    const why = isTaken ? `127.0.0.1:${port} is in use by another program. Choose another port with --port` : (error as Error).message;
    output.note(`The demonstration shop does not run: ${why}.`);
    return undefined;
  }
}

interface Opened {
  store: DemoStore | undefined;
  shop: DemoShop | undefined;
}

/** What the gateway's front page links to beside the gateway. */
function neighboursOf({ store, shop }: Opened): Neighbour[] {
  const neighbours: Neighbour[] = [];
  if (shop !== undefined) {
    neighbours.push({ label: "A shop", about: "Buy something, have it sent to a locker, and collect it.", url: shop.url });
  }
  if (store !== undefined) {
    const about = `Accept and hand over parcels at ${store.name}, with the PIN that petak start has printed.`;
    neighbours.push({ label: "A store's counter", about, url: store.url });
  }
  return neighbours;
}

interface Said {
  /** Whether the demonstration's open directory is published. */
  publishesDemo: boolean;
  hasSandbox: boolean;
  logPath: string;
  /** The courier's key file, relative to the working directory. */
  keyPath: string;
}

function greet(
  output: Output,
  served: ServedGateway,
  { publishableKey }: DemoParticipants,
  { store, shop }: Opened,
  { publishesDemo, hasSandbox, logPath, keyPath }: Said,
): void {
  const { bold, cyan, dim } = output.colors;
  const curl = [
    `curl ${served.url}/petak.v1.DirectoryService/FindNearest \\`,
    `    -H 'Content-Type: application/json' -H 'Authorization: Bearer ${publishableKey}' \\`,
    `    -d '{"origin": {"latitude": 1.3521, "longitude": 103.8198}, "parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}}'`,
  ];
  const globals = `${served.url === defaultUrl ? "" : ` --url ${served.url}`}${keyPath === defaultKeyPath ? "" : ` --key ${keyPath}`}`;
  const counter = store && { url: store.url, name: store.name, pin: store.pin };
  output.json({
    url: served.url,
    management: served.managementUrl,
    audience: served.gateway.audience,
    publishableKey,
    log: logPath,
    ...(counter && { store: counter }),
    ...(shop && { shop: shop.url }),
    ...(publishesDemo && { openDirectory: `${served.url}${feedPath}` }),
  });
  output.print();
  output.print(`  ${bold("Petak is running")} at ${cyan(served.url)}`);
  output.print(`  A key for trying things: ${cyan(publishableKey)}`);
  output.print(`  The audience of request tokens, which is in every key file: ${cyan(served.gateway.audience)}`);
  if (store !== undefined) {
    output.print(`  A store's counter (${store.name}), to open in a browser: ${cyan(store.url)}, with the PIN ${cyan(store.pin)}`);
  }
  if (shop !== undefined) output.print(`  A shop, to buy something and have it sent to a locker: ${cyan(shop.url)}`);
  if (publishesDemo) {
    output.print(`  Its sites and free places as open data (made up; cities by GeoNames; CC BY 4.0): ${cyan(`${served.url}${feedPath}`)}`);
  }
  if (hasSandbox) {
    const list = cyan(`npx petak sandbox sites${globals}`);
    output.print(`  A sandbox, with sites that are full, jammed, offline and more: ${list} (docs/guides/sandbox.md)`);
  }
  output.print();
  output.print("  Try, in another terminal in this folder:");
  output.print();
  for (const line of curl) output.print(`  ${line}`);
  output.print(`  npx petak find 1.3521,103.8198${globals}`);
  output.print(`  npx petak journey${globals}`);
  output.print();
  output.print("  Read on: docs/guides/courier.md for an integration, docs/guides/operator.md to run a gateway; README.md lists the rest.");
  output.print();
  output.print(
    dim(`  Metrics: ${served.managementUrl}/metrics. Cities: GeoNames, CC BY 4.0. Log: ${logPath}. Stop with Ctrl-C; the data stays.`),
  );
}

function wholeNumber(flag: string, text: string | undefined): number {
  if (text === undefined || !/^\d{1,9}$/.test(text)) throw usageFailure(`${flag} must be a whole number, not "${text}".`);
  return Number(text);
}
