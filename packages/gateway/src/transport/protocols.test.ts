import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { CustodyService, DirectoryService, fromConnectError, reasonOf } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { goodRequest, startTestGateway, transports } from "./testing/test-gateway.ts";

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("expected an error");
}

for (const tls of [false, true]) {
  describe(tls ? "over TLS" : "in cleartext", () => {
    for (const [name, transport] of Object.entries(transports)) {
      test(`${name}: a unary call, a stream and errors with their reasons`, async () => {
        const { baseUrl, lines } = await startTestGateway({ tls });
        const directory = createClient(DirectoryService, transport(baseUrl));
        const custody = createClient(CustodyService, transport(baseUrl));
        const { options } = await directory.findNearest(goodRequest);
        expect(options[0]?.freeToPromise).toBe(3);

        const cursors: string[] = [];
        for await (const { cursor } of custody.watchEvents({})) cursors.push(cursor);
        expect(cursors).toEqual(["a", "b", "c"]);

        const invalid = await errorOf(directory.findNearest({ ...goodRequest, origin: { latitude: 91, longitude: -181 } }));
        expect(reasonOf(invalid)).toBe("INVALID_FIELD");
        expect(fromConnectError(invalid)?.fieldViolations.map(({ field }) => field)).toEqual(["origin.latitude", "origin.longitude"]);

        const defect = await errorOf(directory.findNearest({ ...goodRequest, limit: 13 }));
        expect(defect.code).toBe(Code.Internal);
        expect(reasonOf(defect)).toBe("INTERNAL");
        expect(defect.message).not.toContain("secret");
        const requestId = fromConnectError(defect)?.metadata.request_id;
        expect(lines.find(({ msg, request_id }) => msg === "defect" && request_id === requestId)).toBeDefined();
        expect(reasonOf(await errorOf(directory.findNearest({ ...goodRequest, limit: 15 })))).toBe("INTERNAL");

        const own = await errorOf(directory.findNearest({ ...goodRequest, limit: 14, operatorIds: ["x"] }));
        expect([own.code, reasonOf(own), own.rawMessage]).toEqual([Code.NotFound, "SITE_NOT_FOUND", "x: no such site."]);

        const missing = await errorOf(directory.getSite({ siteId: "x" }));
        expect([missing.code, reasonOf(missing)]).toEqual([Code.Unimplemented, "METHOD_NOT_FOUND"]);

        const large = await errorOf(directory.getSite({ siteId: "x".repeat(2_000_000) }));
        expect([large.code, reasonOf(large)]).toEqual([Code.OutOfRange, "MESSAGE_TOO_LARGE"]);
        expect(fromConnectError(large)?.metadata.limit_bytes).toBe("1048576");
      });
    }
  });
}
