import { X509Certificate } from "node:crypto";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { hostsIn, makeStoreCertificate } from "./certificate.ts";

const nowMs = Date.now();

/** Calls a server by a name with what a tablet trusts. */
async function call(server: { cert: string; key: string }, ca: string, servername: string): Promise<string> {
  const listening = createServer(server, (_, response) => response.end("hello"));
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void listening.close());
  const { port } = listening.address() as AddressInfo;
  return await new Promise((resolve) => {
    request({ host: "127.0.0.1", port, ca, servername, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    })
      .on("error", (error) => resolve(`${(error as NodeJS.ErrnoException).code} ${error.message}`))
      .end();
  });
}

describe("a store's own certificate", () => {
  const made = makeStoreCertificate(["shop.local", "127.0.0.1", "192.168.1.20", "fe80::1"], nowMs);

  it("is for the names and addresses of the device, and good for 397 days", () => {
    expect(hostsIn(made.server.cert)).toEqual(["shop.local", "127.0.0.1", "192.168.1.20", "FE80:0:0:0:0:0:0:1"]);
    const { validFromDate, validToDate, ca } = new X509Certificate(made.server.cert);
    expect([validFromDate, validToDate, ca]).toEqual([
      new Date(1000 * Math.floor(nowMs / 1000) - 86_400_000),
      new Date(1000 * Math.floor(nowMs / 1000) + 397 * 86_400_000),
      false,
    ]);
  });

  it("is believed by who trusts its authority, under its names only", async () => {
    expect(await call(made.server, made.authority.cert, "shop.local")).toBe("hello");
    expect(await call(made.server, made.authority.cert, "other.local")).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    const other = makeStoreCertificate(["shop.local"], nowMs);
    expect(await call(made.server, other.authority.cert, "shop.local")).toMatch(/SIGNATURE|SELF_SIGNED|UNABLE/);
  });

  it("is made anew under the same authority, which speaks for no other name", async () => {
    const renewed = makeStoreCertificate(["shop.local"], nowMs, made.authority);
    expect(renewed.authority).toBe(made.authority);
    expect(await call(renewed.server, made.authority.cert, "shop.local")).toBe("hello");
    const abused = makeStoreCertificate(["bank.example"], nowMs, made.authority);
    expect(await call(abused.server, made.authority.cert, "bank.example")).toContain("permitted subtree violation");
  });
});
