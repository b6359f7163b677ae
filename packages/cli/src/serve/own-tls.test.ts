import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createPetakClient, tlsProblemOf } from "@petak/client/node";
import { DirectoryService } from "@petak/protocol";
import { otherTestCertificate, otherTestKey, testCertificate, testKey } from "@petak/testkit";
import { expect, onTestFinished, test } from "vitest";
import { ownTls } from "./own-tls.ts";

test("what is trusted is the certificate of now, and no other, on each new connection", async () => {
  const handler = connectNodeAdapter({ routes: (router) => router.service(DirectoryService, { getSite: () => ({}) }) });
  const server = createServer({ cert: testCertificate, key: testKey }, handler);
  let chain = testCertificate;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createPetakClient({ baseUrl, tls: ownTls(() => chain), retry: false });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const problem = () =>
    client.directory.getSite({ siteId: "s" }).then(
      () => "none",
      (error: unknown) => tlsProblemOf(error)?.kind ?? error,
    );
  expect(await problem()).toBe("none");
  server.setSecureContext({ cert: otherTestCertificate, key: otherTestKey });
  server.closeAllConnections();
  await expect.poll(problem).toBe("gateway-certificate");
  chain = otherTestCertificate;
  expect(await problem()).toBe("none");
});

test("without TLS there is nothing to trust", () => {
  expect(ownTls(() => undefined)).toBeUndefined();
});
