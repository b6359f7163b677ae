import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { createOwnServiceClient, createPetakClient, signerOfKeyFile } from "@petak/client/node";
import { createLogger, loadConfig } from "@petak/gateway";
import { Role, reasonOf } from "@petak/protocol";
import { SandboxService } from "@petak/protocol/sandbox";
import { createTestAuthority, hasOpenssl, otherTestCertificate, otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { ensureParticipant } from "../demo/ensure-participant.ts";
import { serveGateway } from "./serve-gateway.ts";

async function serve(flags: Record<string, string>) {
  const dataDir = await tempDir();
  const files = { tlsCert: join(dataDir, "cert.pem"), tlsKey: join(dataDir, "key.pem") };
  await writeFile(files.tlsCert, testCertificate);
  await writeFile(files.tlsKey, testKey);
  const config = loadConfig({ flags: { port: "0", dataDir, shutdownGraceMs: "0", ...files, ...flags }, env: {} });
  const served = await serveGateway(config, dataDir, createLogger({ level: "silent" }));
  onTestFinished(() => served.stop());
  return { ...served, files, port: served.gateway.address.port };
}

/** Asks for `/livez` on a connection of its own. @returns the first line of the answer, and the certificate of the gateway */
async function ask(port: number, options: ConnectionOptions = {}): Promise<{ status: string; certificate: string }> {
  const socket = connect({ host: "127.0.0.1", port, ca: [testCertificate, otherTestCertificate], ...options });
  try {
    await once(socket, "secureConnect");
    const certificate = socket.getPeerX509Certificate()?.toString() ?? "";
    socket.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const [chunk] = (await Promise.race([once(socket, "data"), once(socket, "close").then(() => [""])])) as [Buffer | string];
    return { status: chunk.toString().split("\r\n", 1)[0] ?? "", certificate };
  } finally {
    socket.destroy();
  }
}

test("a changed certificate is used without a restart, and its end is among the metrics", async () => {
  const { port, files, managementUrl } = await serve({});
  expect(await ask(port)).toEqual({ status: "HTTP/1.1 200 OK", certificate: testCertificate });
  expect(await (await fetch(`${managementUrl}/metrics`)).text()).toMatch(/^petak_tls_certificate_end_seconds \d{9,}/m);
  await writeFile(files.tlsCert, otherTestCertificate);
  await writeFile(files.tlsKey, otherTestKey);
  await expect.poll(async () => (await ask(port)).certificate, { timeout: 60_000 }).toBe(otherTestCertificate);
});

test("with --tls-client-ca only clients with a certificate are heard, and supervisors still ask the management listener", async () => {
  const dir = await tempDir();
  const tlsClientCa = join(dir, "clients.pem");
  await writeFile(tlsClientCa, otherTestCertificate);
  const { port, managementUrl } = await serve({ tlsClientCa });
  expect((await ask(port, { cert: otherTestCertificate, key: otherTestKey })).status).toBe("HTTP/1.1 200 OK");
  const refused = await ask(port, { cert: testCertificate, key: testKey }).catch(() => ({ status: "" }));
  expect(refused.status).toBe("");
  expect((await fetch(`${managementUrl}/readyz`)).status).toBe(200);
});

test.skipIf(!(await hasOpenssl()))(
  "the sandbox opens under a certificate for another name, whose authority nobody here knows",
  async () => {
    const files = await (await createTestAuthority(await tempDir(), "authority")).issue("gateway.example");
    const { url, tls, admin, gateway } = await serve({ sandbox: "true", tlsCert: files.cert, tlsKey: files.key });
    const administrator = createPetakClient({ baseUrl: url, tls, signer: signerOfKeyFile(admin.keyFile) });
    onTestFinished(() => administrator.close());
    const courier = await ensureParticipant(administrator, {
      ...{ name: "courier", displayName: "Courier", role: Role.COURIER, audience: gateway.audience },
      path: join(await tempDir(), "courier.json"),
    });
    const { client, close } = createOwnServiceClient(SandboxService, { baseUrl: url, tls, signer: signerOfKeyFile(courier) });
    onTestFinished(close);
    // SANDBOX_NOT_READY until they are open.
    await expect.poll(() => client.listSandboxSites({}).then(({ sites }) => sites.length, reasonOf)).toBe(9);
  },
);

test("an authority of clients without a certificate of the gateway is refused at the start", () => {
  expect(() => loadConfig({ flags: { tlsClientCa: "clients.pem" } })).toThrow("tlsClientCa needs tlsCert and tlsKey");
});
