import { create } from "@bufbuild/protobuf";
import { WatchEventsResponseSchema } from "@petak/protocol";
import { expect, test } from "vitest";
import { envelope, envelopes, http2Request } from "../testing/raw-http.ts";
import { startTestGateway } from "../testing/test-gateway.ts";

const watchEvents = "/petak.v1.CustodyService/WatchEvents";
const compressedFlag = 1;

/** The length of the cursor in each message of the stream, in bytes. */
const sizes = [10, 4000, 40_000];

test.each([
  ["application/grpc+proto", "grpc-accept-encoding"],
  ["application/grpc-web+proto", "grpc-accept-encoding"],
  ["application/connect+proto", "connect-accept-encoding"],
])("%s: only large messages of a stream are compressed, and only for callers that accept it", async (contentType, accept) => {
  const { port } = await startTestGateway({
    async *watchEvents() {
      for (const size of sizes) yield create(WatchEventsResponseSchema, { cursor: "c".repeat(size) });
    },
  });
  const flagsOf = async (headers: Record<string, string>) => {
    const { body } = await http2Request(
      port,
      { ":path": watchEvents, "content-type": contentType, te: "trailers", ...headers },
      envelope(Buffer.alloc(0)),
    );
    return [...envelopes(body)].slice(0, sizes.length).map(({ flags }) => flags & compressedFlag);
  };
  expect(await flagsOf({ [accept]: "gzip" })).toEqual([0, 0, 1]);
  expect(await flagsOf({})).toEqual([0, 0, 0]);
});
