import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createPetakClient, readKeyFile, signerOfKeyFile, tlsFromFiles } from "@petak/client/node";
import { createLogger, loadConfig } from "@petak/gateway";
import { SiteKind } from "@petak/protocol";
import { type CertificateFiles, createTempDir, createTestAuthority, hasOpenssl, makeSite } from "@petak/testkit";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { serveGateway } from "../src/serve/serve-gateway.ts";
import { type RunPetakOptions, runPetak } from "../src/testing/run-petak.ts";

/** A gateway that wants a certificate of each client, with a courier, an operator and a site. */
async function makeWorld(folder: string) {
  const authority = (name: string) => createTestAuthority(folder, name);
  const [clients, servers, strangers] = [await authority("clients"), await authority("servers"), await authority("strangers")];
  const { cert: tlsCert, key: tlsKey } = await servers.issue("localhost");
  const flags = {
    port: "0",
    host: "localhost",
    dataDir: join(folder, "data"),
    shutdownGraceMs: "0",
    tlsCert,
    tlsKey,
    tlsClientCa: clients.ca,
  };
  const served = await serveGateway(loadConfig({ flags }), folder, createLogger({ level: "silent" }));
  const known = await clients.issue("petak");
  const url = `https://localhost:${served.gateway.address.port}`;

  /** Runs `petak`. @param shown the certificate that it shows */
  function petak(argv: readonly string[], shown?: CertificateFiles, options?: RunPetakOptions) {
    const certificate = shown === undefined ? [] : ["--tls-client-cert", shown.cert, "--tls-client-key", shown.key];
    return runPetak(["--url", url, "--tls-ca", servers.ca, ...certificate, ...argv], { cwd: folder, ...options });
  }

  async function makeParticipant(role: string): Promise<string> {
    const admin = ["--key", join(folder, "data/keys/admin.json")];
    const made = await petak([...admin, "participants", "make", "--name", role, "--role", role, "--json"], known);
    const { participantId } = JSON.parse(made.stdout) as { participantId: string };
    const path = join(folder, `${role}.json`);
    await petak([...admin, "keys", "make", "--participant", participantId, "--mode", "test", "--out", path], known);
    return path;
  }

  const keys = { courier: await makeParticipant("courier"), operator: await makeParticipant("operator") };
  const tls = tlsFromFiles({ ca: servers.ca, ...known });
  const operator = createPetakClient({ baseUrl: url, tls, signer: signerOfKeyFile(await readKeyFile(keys.operator)) });
  const kinds = [SiteKind.PARCEL_TERMINAL, SiteKind.COLLECTION_POINT];
  const sites = kinds.map((kind) => makeSite({ latitude: 1.3521, longitude: 103.8198, kind, ref: `kind-${kind}` }));
  const { results } = await operator.directory.upsertSites({ requestId: crypto.randomUUID(), sites });
  operator.close();
  const siteId = results[0]?.siteId ?? "";
  return { stop: served.stop, folder, url, ca: servers.ca, known, unknown: await strangers.issue("stranger"), petak, keys, siteId };
}

describe.skipIf(!(await hasOpenssl()))("a gateway that wants certificates of its clients", () => {
  let world: Awaited<ReturnType<typeof makeWorld>>;

  beforeAll(async () => {
    const { path, remove } = await createTempDir();
    world = await makeWorld(path);
    return async () => {
      await world.stop();
      await remove();
    };
  }, 120_000);

  test("answers a command that shows one, by options or by the environment", async () => {
    const { petak, keys, known, ca, url, folder } = world;
    const call = ["--key", keys.courier, "find", "1.3521,103.8198"];
    expect(await petak(call, known)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("site_") });
    const env = { PETAK_URL: url, PETAK_TLS_CA: ca, PETAK_TLS_CLIENT_CERT: known.cert, PETAK_TLS_CLIENT_KEY: known.key };
    expect(await runPetak(call, { cwd: folder, env })).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("site_") });
  });

  test("is named, with the options to give, by a command without a certificate, with a stranger's, or without the gateway's authority", async () => {
    const { petak, keys, unknown, url, folder } = world;
    const call = ["--key", keys.courier, "find", "1.3521,103.8198"];
    for (const shown of [undefined, unknown]) {
      expect(await petak(call, shown)).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(/--tls-client-cert and --tls-client-key/),
      });
    }
    const untrusted = await runPetak(["--url", url, ...call], { cwd: folder });
    expect(untrusted).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("name the authority's file in --tls-ca (PETAK_TLS_CA)"),
    });
    const missing = await petak(call, { cert: "/nope", key: "/nope" });
    expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("/nope does not exist") });
    const half = await petak(["--tls-client-cert", "/nope", ...call]);
    expect(half).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("belong together") });
  });

  test.each([
    ["a terminal in this process", []],
    ["a device whose program runs by itself", ["--offline"]],
    ["a store", ["--site", "store"]],
  ])("takes part in a whole journey with %s", { timeout: 120_000 }, async (_what, options) => {
    const { petak, keys, known } = world;
    const walked = await petak(["--key", keys.courier, "journey", "--operator-key", keys.operator, ...options], known);
    expect([walked.exitCode, walked.stderr]).toEqual([0, expect.anything()]);
  });

  test("hears of a device once its certificate is renewed, without a restart", { timeout: 120_000 }, async () => {
    const { petak, keys, known, unknown, siteId, folder } = world;
    const enrolment = await petak(["--key", keys.operator, "agents", "enrol", siteId, "--json"], known);
    const { code } = JSON.parse(enrolment.stdout) as { code: string };
    const dataDir = join(folder, "device");
    const enrol = (shown?: CertificateFiles) => petak(["agent", "enrol", code, "--data-dir", dataDir], shown);
    expect(await enrol()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("--tls-client-cert") });
    expect(await enrol(known)).toMatchObject({ exitCode: 0 });

    const own = { cert: join(folder, "own.pem"), key: join(folder, "own.key") };
    const renew = async (files: CertificateFiles) => {
      for (const half of ["cert", "key"] as const) {
        await copyFile(files[half], `${own[half]}.new`);
        await rename(`${own[half]}.new`, own[half]);
      }
    };
    await renew(unknown);
    const [stopping, printed] = [new AbortController(), [] as string[]];
    const ended = petak(["agent", "run", "--data-dir", dataDir, "--simulated"], own, {
      stdin: new PassThrough(),
      interruption: stopping.signal,
      onPrint: (text) => printed.push(text),
    });
    const said = (text: string) => vi.waitFor(() => expect(printed.join("")).toContain(text), { timeout: 60_000 });
    await said("give one of its authorities by --tls-client-cert");
    await renew(known);
    await said("the gateway answers");
    stopping.abort(new Error("Interrupted."));
    expect(await ended).toMatchObject({ exitCode: 0 });
  });
});
