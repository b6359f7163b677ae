import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { generateKeyPair } from "@petak/credential";
import { CustodyService, DirectoryService, PetakError, ReservationService, reasonOf, toConnectError } from "@petak/protocol";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRequestSigner } from "../request-signer.ts";
import { createPetakClient, type PetakClientOptions } from "./petak-client.ts";

const requestId = "0d9b7a52-6c0e-4a39-8a33-1b3f6f6f1c11";

/** What the test's gateway saw and what it answers next. */
const seen: { authorization: string | null; requestId: string; timeoutMs: number | undefined }[] = [];
let failures: ConnectError[] = [];

/** The deadline that a request tells. */
function toldTimeoutMs({ requestHeader }: HandlerContext): number | undefined {
  const told = requestHeader.get("connect-timeout-ms") ?? requestHeader.get("grpc-timeout");
  return told === null ? undefined : Number(told.replace(/m$/, ""));
}

function routes(router: ConnectRouter): void {
  const note = (context: HandlerContext, id = "") => {
    const authorization = context.requestHeader.get("authorization");
    seen.push({ authorization, requestId: id, timeoutMs: toldTimeoutMs(context) });
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  router.service(DirectoryService, {
    getSite: (_, context) => {
      note(context);
      return { site: { operatorSiteRef: "Kallang" } };
    },
  });
  router.service(ReservationService, {
    cancel: (request, context) => {
      note(context, request.requestId);
      return {};
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
    },
  });
}

let http1: Server;
let http2: Http2Server;
const sessions = new Set<ServerHttp2Session>();
const addresses = { http1: "", http2: "" };

beforeAll(async () => {
  const handler = connectNodeAdapter({ routes });
  http1 = createServer(handler);
  http2 = createHttp2Server(handler);
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => http1.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  addresses.http1 = `http://127.0.0.1:${(http1.address() as AddressInfo).port}`;
  addresses.http2 = `http://127.0.0.1:${(http2.address() as AddressInfo).port}`;
});

afterAll(() => {
  http1.closeAllConnections();
  http1.close();
  for (const session of sessions) session.destroy();
  http2.close();
});

beforeEach(() => {
  seen.length = 0;
  failures = [];
});

async function using<T>(
  options: Partial<PetakClientOptions>,
  run: (client: ReturnType<typeof createPetakClient>) => Promise<T>,
): Promise<T> {
  const client = createPetakClient({ baseUrl: options.protocol === "grpc" ? addresses.http2 : addresses.http1, ...options });
  try {
    return await run(client);
  } finally {
    client.close();
  }
}

describe("a client", () => {
  for (const protocol of ["connect", "connect-json", "grpc", "grpc-web"] as const) {
    it(`calls and streams over ${protocol} with the signer's token`, async () => {
      const { privateJwk } = await generateKeyPair();
      const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "gateway" });
      await using({ protocol, signer }, async (client) => {
        expect((await client.directory.getSite({ siteId: "s" })).site?.operatorSiteRef).toBe("Kallang");
        const cursors: string[] = [];
        for await (const { cursor } of client.custody.watchEvents({})) cursors.push(cursor);
        expect(cursors).toEqual(["a", "b"]);
      });
      const authorization = await signer.authorization();
      expect(seen.map((call) => call.authorization)).toEqual([authorization, authorization]);
      // The unary call has a deadline, the stream has none.
      expect(seen[0]?.timeoutMs).toBe(10_000);
      expect(seen[1]?.timeoutMs).toBeUndefined();
    });
  }

  it("sends a publishable key, or nothing", async () => {
    await using({ publishableKey: "pk_test_a" }, (client) => client.directory.getSite({ siteId: "s" }));
    await using({}, (client) => client.directory.getSite({ siteId: "s" }));
    expect(seen.map(({ authorization }) => authorization)).toEqual(["Bearer pk_test_a", null]);
  });

  it("adds a long poll's wait to the deadline", async () => {
    await using({}, (client) => client.custody.listEvents({ wait: durationFromMs(30_000) }));
    expect(seen[0]?.timeoutMs).toBe(40_000);
  });

  it("returns errors with their reason, and does not retry permanent ones", async () => {
    failures = [toConnectError(new PetakError("SITE_NOT_FOUND", "no such site"))];
    const error = await using({}, (client) => client.directory.getSite({ siteId: "s" }).catch((reason: unknown) => reason));
    expect(error).toBeInstanceOf(ConnectError);
    expect(reasonOf(error)).toBe("SITE_NOT_FOUND");
    expect(seen).toHaveLength(1);
  });

  it("refuses contradictory and invalid options", async () => {
    const { privateJwk } = await generateKeyPair();
    expect(() => createPetakClient({ baseUrl: "gateway:8443" })).toThrow("baseUrl 'gateway:8443'");
    expect(() => createPetakClient({ baseUrl: "nonsense" })).toThrow("baseUrl 'nonsense'");
    const signer = createRequestSigner({ participantId: "par_a", keyId: "key_test_a", privateJwk, audience: "a" });
    expect(() => createPetakClient({ baseUrl: addresses.http1, signer, publishableKey: "pk" })).toThrow("not both");
  });
});

describe("retries", () => {
  const noWait = (waits: number[]) => ({ random: () => 0.5, wait: (delayMs: number) => Promise.resolve(void waits.push(delayMs)) });
  const cancel = (client: ReturnType<typeof createPetakClient>) => client.reservations.cancel({ requestId, reservationId: "r", reason: 1 });

  it("send the same request with growing delays", async () => {
    failures = [
      toConnectError(new PetakError("STORE_UNAVAILABLE", "")),
      toConnectError(new PetakError("RATE_LIMITED", "", { retryAfterMs: 900 })),
      toConnectError(new PetakError("CONFLICT", "")),
    ];
    const waits: number[] = [];
    await using({ retry: noWait(waits) }, cancel);
    expect(seen.map((call) => call.requestId)).toEqual([requestId, requestId, requestId, requestId]);
    expect(waits).toEqual([150, 900 + 300, 600]);
  });

  it("end after four attempts with the last error", async () => {
    failures = Array.from({ length: 9 }, () => toConnectError(new PetakError("SHUTTING_DOWN", "")));
    const error = await using({ retry: noWait([]) }, (client) => cancel(client).catch((reason: unknown) => reason));
    expect(reasonOf(error)).toBe("SHUTTING_DOWN");
    expect(seen).toHaveLength(4);
  });

  it("do not wait longer than five seconds", async () => {
    failures = [toConnectError(new PetakError("OVERLOADED", "", { retryAfterMs: 5_001 }))];
    const error = await using({ retry: noWait([]) }, (client) => cancel(client).catch((reason: unknown) => reason));
    expect(reasonOf(error)).toBe("OVERLOADED");
    expect(seen).toHaveLength(1);
  });

  it("stay within the call's deadline and then return the gateway's error", async () => {
    failures = Array.from({ length: 9 }, () => toConnectError(new PetakError("SHUTTING_DOWN", "")));
    const error = await using({ timeoutMs: 2_000, retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 } }, (client) =>
      cancel(client).catch((reason: unknown) => reason),
    );
    // Either what the gateway said or that the deadline passed, and in any case at once.
    expect([Code.Unavailable, Code.DeadlineExceeded]).toContain((error as ConnectError).code);
    expect(seen).toHaveLength(1);
  });

  it("happen if nobody answers, and can be turned off", async () => {
    const waits: number[] = [];
    const closed = "http://127.0.0.1:1";
    const error = await using({ baseUrl: closed, retry: noWait(waits) }, (client) => cancel(client).catch((reason: unknown) => reason));
    expect((error as ConnectError).code).toBe(Code.Unavailable);
    expect(waits).toHaveLength(3);
    failures = [toConnectError(new PetakError("CONFLICT", ""))];
    await using({ retry: false }, (client) => expect(cancel(client)).rejects.toThrow(ConnectError));
    expect(seen).toHaveLength(1);
  });
});
