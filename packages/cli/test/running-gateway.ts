import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type PetakClient, readKeyFile, signerOfKeyFile, writeKeyFile } from "@petak/client/node";
import { createTempDir, makeSite, type SiteFacts } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import { beforeAll } from "vitest";
import { checkDocumentedJson } from "../src/testing/documented-json.ts";
import { type PetakRun, type RunPetakOptions, runPetak } from "../src/testing/run-petak.ts";

/** A real gateway on a private server, for the tests of a file. To be used within a test or hook. */
export interface RunningGateway {
  readonly url: string;
  /** A folder for the tests' files, with `admin.json`'s path below. */
  readonly folder: string;
  readonly adminKeyPath: string;
  /** Runs `petak` against the gateway, in the folder. What a successful one prints with `--json` must be what is documented. */
  petak(argv: readonly string[], options?: RunPetakOptions): Promise<PetakRun>;
  /** Makes a participant with a test key, and gives the path of its key file. */
  makeParticipant(name: string, role: string): Promise<string>;
  /** A client that calls with a key file, and does not call again where a call fails. Closed after the tests of the file. */
  clientOf(keyPath: string): Promise<PetakClient>;
  /** Puts a site in Singapore, by default a terminal, for the operator of a key file. Gives its id. */
  putSite(keyPath: string, facts?: Partial<SiteFacts>): Promise<string>;
}

/** Gives the tests of a file a gateway. Call it at the top. */
export function useGateway(): RunningGateway {
  let state: { network: TestNetwork; folder: string } | undefined;

  beforeAll(async () => {
    const directory = await createTempDir();
    const folder = join(directory.path, "work");
    await Promise.all([folder, join(directory.path, "data/keys")].map((path) => mkdir(path, { recursive: true })));
    const network = await startTestNetwork({ dataDir: join(directory.path, "data") });
    state = { network, folder };
    await writeKeyFile(gateway.adminKeyPath, keyFileOf(network.admin));
    return async () => {
      await network.stop();
      await directory.remove();
    };
  });

  function running() {
    if (state === undefined) throw new Error("The gateway runs only during tests: read this within a test or a hook.");
    return state;
  }

  const gateway: RunningGateway = {
    get url() {
      return running().network.baseUrl;
    },
    get folder() {
      return running().folder;
    },
    get adminKeyPath() {
      return join(running().folder, "../data/keys/admin.json");
    },
    async petak(argv, options) {
      const ran = await runPetak(["--url", gateway.url, ...argv], { cwd: running().folder, ...options });
      if (ran.exitCode === 0 && argv.includes("--json")) checkDocumentedJson(argv, ran.stdout);
      return ran;
    },
    async makeParticipant(name, role) {
      const made = await gateway.petak(["--key", gateway.adminKeyPath, "participants", "make", "--name", name, "--role", role, "--json"]);
      const { participantId } = JSON.parse(made.stdout) as { participantId: string };
      const path = join(running().folder, `${participantId}.json`);
      await gateway.petak(["--key", gateway.adminKeyPath, "keys", "make", "--participant", participantId, "--mode", "test", "--out", path]);
      return path;
    },
    async clientOf(keyPath) {
      return running().network.clientFor(signerOfKeyFile(await readKeyFile(keyPath)), { retry: false });
    },
    async putSite(keyPath, facts = {}) {
      const operator = { client: await gateway.clientOf(keyPath) };
      return await running().network.putSite(operator, makeSite({ latitude: 1.3521, longitude: 103.8198, ...facts }));
    },
  };
  return gateway;
}
