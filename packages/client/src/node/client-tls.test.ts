import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { Code } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { DirectoryService } from "@petak/protocol";
import { otherTestCertificate, otherTestKey, tempDir, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import type { ClientTls } from "./client-tls.ts";
import { createPetakClient } from "./petak-client.ts";
import { type ClientTlsFiles, TlsFileError, tlsFromFiles } from "./tls-from-files.ts";
import { tlsProblemOf } from "./tls-problem.ts";
import type { WireProtocol } from "./transport.ts";

/** A gateway that wants a certificate of its clients. @returns its address, and an end of all its connections */
async function startGateway(clientCa: string) {
  const handler = connectNodeAdapter({ routes: (router) => router.service(DirectoryService, { getSite: () => ({}) }) });
  const tls = { cert: testCertificate, key: testKey, ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const server = createSecureServer({ allowHTTP1: true, ...tls }, handler);
  const [sockets, sessions] = [new Set<TLSSocket>(), new Set<ServerHttp2Session>()];
  server.on("secureConnection", (socket) => sockets.add(socket));
  server.on("session", (session) => sessions.add(session));
  const disconnect = () => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    disconnect();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, disconnect };
}

function connect(baseUrl: string, protocol: WireProtocol, tls: ClientTls) {
  const client = createPetakClient({ baseUrl, protocol, tls, retry: false });
  onTestFinished(() => client.close());
  const call = () => client.directory.getSite({ siteId: "s" });
  return {
    call,
    /** What certificates have to do with a failed call, or that it did not fail. */
    problem: () =>
      call().then(
        () => "none",
        (error: unknown) => tlsProblemOf(error)?.kind ?? error,
      ),
  };
}

async function writeFiles() {
  const dir = await tempDir();
  const files = { ca: join(dir, "ca.pem"), cert: join(dir, "client.pem"), key: join(dir, "client.key") };
  await replace(files.ca, testCertificate);
  await replace(files.cert, testCertificate);
  await replace(files.key, testKey);
  return files;
}

/** In one step, as who renews certificates does. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

/** How the refusal of a client's certificate looks: it depends on what the client has sent by then. Over HTTP/2, Node may only say that the stream is closed. */
function refusals(protocol: WireProtocol): unknown[] {
  const kinds = ["client-certificate", "closed"];
  return protocol === "grpc" ? [...kinds, expect.objectContaining({ code: Code.Canceled })] : kinds;
}

for (const protocol of ["connect", "connect-json", "grpc", "grpc-web"] as const) {
  test(`over ${protocol}, a renewed certificate is shown on the next connection`, async () => {
    const { url, disconnect } = await startGateway(otherTestCertificate);
    const files = await writeFiles();
    const { call, problem } = connect(url, protocol, tlsFromFiles(files));
    expect(refusals(protocol)).toContainEqual(await problem());
    await replace(files.cert, otherTestCertificate);
    await replace(files.key, otherTestKey);
    await call();
    // Half of a renewal: the earlier one goes on.
    await rm(files.key);
    disconnect();
    await expect.poll(problem).toBe("none");
  });

  test(`over ${protocol}, no certificate, an authority that is another one, and a file that is missing are told apart`, async () => {
    const { url } = await startGateway(otherTestCertificate);
    expect(refusals(protocol)).toContainEqual(await connect(url, protocol, { ca: testCertificate }).problem());
    const known = { cert: otherTestCertificate, key: otherTestKey };
    expect(await connect(url, protocol, { ...known, ca: otherTestCertificate }).problem()).toBe("gateway-certificate");
    expect(await connect(url, protocol, { ...known, ca: testCertificate }).problem()).toBe("none");
    expect(await connect(url, protocol, tlsFromFiles({ ca: "/nope" })).problem()).toBe("file");
  });
}

test("files that cannot be used are named with what they must be", async () => {
  const files = await writeFiles();
  const refusal = (changed: ClientTlsFiles) => {
    try {
      return String(tlsFromFiles({ ...files, ...changed })());
    } catch (error) {
      return error instanceof TlsFileError ? error.message : String(error);
    }
  };
  expect(refusal({ ca: "/nope" })).toBe("/nope does not exist: it must be a file with authorities in PEM");
  expect(refusal({ key: files.cert })).toMatch(/client\.pem has something else in it: it must be a file with the private key/);
  expect(refusal({ cert: undefined })).toBe("a client's key needs its certificate");
  expect(refusal({ key: undefined })).toBe("a client's certificate needs its key");
  await replace(files.key, otherTestKey);
  expect(refusal({})).toBe(
    `the key in ${files.key} does not belong to the certificate in ${files.cert}: write both files of the same renewal`,
  );
});
