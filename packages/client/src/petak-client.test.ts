import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { CustodyService, DirectoryService } from "@petak/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createPetakClient } from "./petak-client.ts";
import { createServiceClient } from "./service-client.ts";

/** What the test's gateway saw. */
const seen: { authorization: string | null; contentType: string | null; timeoutMs: number | undefined }[] = [];

function routes(router: ConnectRouter): void {
  const note = ({ requestHeader }: HandlerContext) => {
    const told = requestHeader.get("connect-timeout-ms");
    seen.push({
      authorization: requestHeader.get("authorization"),
      contentType: requestHeader.get("content-type"),
      timeoutMs: told === null ? undefined : Number(told),
    });
  };
  router.service(DirectoryService, {
    getSite: (_, context) => {
      note(context);
      return { site: { operatorSiteRef: "Kallang" } };
    },
  });
  router.service(CustodyService, {
    listEvents: (_, context) => {
      note(context);
      return { nextCursor: "c" };
    },
    watchEvents: async function* (_, context) {
      note(context);
      yield { cursor: "a" };
      yield { cursor: "b" };
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    },
  });
}

let server: Server;
let baseUrl = "";

beforeAll(async () => {
  server = createServer(connectNodeAdapter({ routes }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen.length = 0;
});

describe("a client over fetch", () => {
  for (const protocol of ["connect", "connect-json"] as const) {
    it(`calls and streams over ${protocol}, and aborts calls in flight when it is closed`, async () => {
      const client = createPetakClient({ baseUrl, protocol, publishableKey: "pk_test_a" });
      expect((await client.directory.getSite({ siteId: "s" })).site?.operatorSiteRef).toBe("Kallang");
      const cursors: string[] = [];
      const watching = (async () => {
        for await (const { cursor } of client.custody.watchEvents({})) {
          cursors.push(cursor);
          if (cursor === "b") client.close();
        }
      })();
      await expect(watching).rejects.toMatchObject({ code: Code.Canceled });
      expect(cursors).toEqual(["a", "b"]);
      await expect(client.directory.getSite({ siteId: "s" })).rejects.toMatchObject({ code: Code.Canceled });
      const encoding = protocol === "connect" ? "proto" : "json";
      expect(seen).toEqual([
        { authorization: "Bearer pk_test_a", contentType: `application/${encoding}`, timeoutMs: expect.any(Number) },
        { authorization: "Bearer pk_test_a", contentType: `application/connect+${encoding}`, timeoutMs: undefined },
      ]);
    });
  }

  it("retries if nobody answers, and then fails with UNAVAILABLE", async () => {
    const waits: number[] = [];
    const wait = (delayMs: number) => Promise.resolve(void waits.push(delayMs));
    const client = createPetakClient({ baseUrl: "http://127.0.0.1:1", retry: { random: () => 0.5, wait } });
    const error: unknown = await client.directory.getSite({ siteId: "s" }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectError);
    expect((error as ConnectError).code).toBe(Code.Unavailable);
    expect(waits).toEqual([150, 300, 600]);
  });
});

describe("a client of one service", () => {
  it("calls like the client of all services", async () => {
    const directory = createServiceClient(DirectoryService, { baseUrl, publishableKey: "pk_test_a" });
    expect((await directory.getSite({ siteId: "s" })).site?.operatorSiteRef).toBe("Kallang");
    const custody = createServiceClient(CustodyService, { baseUrl, protocol: "connect-json" });
    await custody.listEvents({ wait: durationFromMs(30_000) });
    expect(seen.map(({ authorization, contentType }) => [authorization, contentType])).toEqual([
      ["Bearer pk_test_a", "application/proto"],
      [null, "application/json"],
    ]);
    expect(seen[1]?.timeoutMs).toBe(40_000);
  });

  it("refuses the same options", () => {
    expect(() => createServiceClient(DirectoryService, { baseUrl: "gateway:8443" })).toThrow("baseUrl 'gateway:8443'");
  });
});
