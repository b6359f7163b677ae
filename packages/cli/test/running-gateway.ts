import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createPetakClient, type PetakClient, readKeyFile, signerOfKeyFile } from "@petak/client";
import { createLogger, loadConfig } from "@petak/gateway";
import { createTempDir, makeSite } from "@petak/testkit";
import { afterAll, beforeAll } from "vitest";
import { serveGateway } from "../src/serve/serve-gateway.ts";
import { type PetakRun, type RunPetakOptions, runPetak } from "./run-petak.ts";

/** A real gateway on a private server, for the tests of a file. To be used within a test or hook. */
export interface RunningGateway {
  readonly url: string;
  /** A folder for the tests' files, with `admin.json`'s path below. */
  readonly folder: string;
  readonly adminKeyPath: string;
  /** Runs `petak` against the gateway, in the folder. */
  petak(argv: readonly string[], options?: RunPetakOptions): Promise<PetakRun>;
  /** Makes a participant with a test key, and gives the path of its key file. */
  makeParticipant(name: string, role: string): Promise<string>;
  /** A client that calls with a key file, and does not call again where a call fails. Closed after the tests of the file. */
  clientOf(keyPath: string): Promise<PetakClient>;
  /** Puts a site in Singapore for the operator of a key file. Gives its id. */
  putSite(keyPath: string): Promise<string>;
}

/** Gives the tests of a file a gateway, with settings of its own beside the port and the data directory. Call it at the top. */
export function useGateway(settings: Readonly<Record<string, string>> = {}): RunningGateway {
  let state: { url: string; folder: string; stop(): Promise<void> } | undefined;
  const clients: PetakClient[] = [];

  beforeAll(async () => {
    const directory = await createTempDir();
    const folder = join(directory.path, "work");
    await mkdir(folder);
    const config = loadConfig({ flags: { ...settings, port: "0", dataDir: join(directory.path, "data") }, env: {} });
    const served = await serveGateway(config, folder, createLogger({ level: "silent" }));
    state = {
      url: served.url,
      folder,
      stop: async () => {
        await served.stop();
        await directory.remove();
      },
    };
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await state?.stop();
  });

  function running() {
    if (state === undefined) throw new Error("The gateway runs only during tests: read this within a test or a hook.");
    return state;
  }

  const gateway: RunningGateway = {
    get url() {
      return running().url;
    },
    get folder() {
      return running().folder;
    },
    get adminKeyPath() {
      return join(running().folder, "../data/keys/admin.json");
    },
    petak(argv, options) {
      return runPetak(["--url", running().url, ...argv], { cwd: running().folder, ...options });
    },
    async makeParticipant(name, role) {
      const made = await gateway.petak(["--key", gateway.adminKeyPath, "participants", "make", "--name", name, "--role", role, "--json"]);
      const { participantId } = JSON.parse(made.stdout) as { participantId: string };
      const path = join(running().folder, `${participantId}.json`);
      await gateway.petak(["--key", gateway.adminKeyPath, "keys", "make", "--participant", participantId, "--mode", "test", "--out", path]);
      return path;
    },
    async clientOf(keyPath) {
      const client = createPetakClient({ baseUrl: running().url, signer: signerOfKeyFile(await readKeyFile(keyPath)), retry: false });
      clients.push(client);
      return client;
    },
    async putSite(keyPath) {
      const { directory } = await gateway.clientOf(keyPath);
      const sites = [makeSite({ latitude: 1.3521, longitude: 103.8198 })];
      const { results } = await directory.upsertSites({ requestId: randomUUID(), sites });
      return results[0]?.siteId ?? "";
    },
  };
  return gateway;
}
