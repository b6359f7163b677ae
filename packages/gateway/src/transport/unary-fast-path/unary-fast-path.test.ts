import { gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createClient, type HandlerContext } from "@connectrpc/connect";
import { DirectoryService, FindNearestRequestSchema } from "@petak/protocol";
import { describe, expect, test } from "vitest";
import { envelope, http2Request } from "../testing/raw-http.ts";
import { goodRequest, startTestGateway, transports } from "../testing/test-gateway.ts";
import { FastHandlerContext } from "./handler-context.ts";

const path = "/petak.v1.DirectoryService/FindNearest";
const message = create(FindNearestRequestSchema, goodRequest);
const binary = toBinary(FindNearestRequestSchema, message);
const json = Buffer.from(toJsonString(FindNearestRequestSchema, message));
const enveloped = envelope(binary);

async function startWatched() {
  const contexts: HandlerContext[] = [];
  const gateway = await startTestGateway({ onFindNearest: (_signal, context) => void contexts.push(context), hasUnaryFastPath: true });
  return { ...gateway, tookFastPath: () => contexts.map((context) => context instanceof FastHandlerContext) };
}

describe("the unary fast path is taken", () => {
  test.each(Object.entries(transports))("by the calls of a client that speaks %s", async (_name, transport) => {
    const { baseUrl, tookFastPath } = await startWatched();
    await createClient(DirectoryService, transport(baseUrl)).findNearest(goodRequest);
    expect(tookFastPath()).toEqual([true]);
  });

  test.each<[string, Record<string, string>, Uint8Array]>([
    ["JSON", { "content-type": "application/json" }, json],
    ["JSON of a browser", { "content-type": "application/json", "accept-encoding": "gzip, deflate, br, zstd" }, json],
    ["binary", { "content-type": "application/proto", "connect-timeout-ms": "500" }, binary],
    ["gRPC", { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "1S" }, enveloped],
    ["gRPC-Web that names its encoding", { "content-type": "application/grpc-web+proto", "grpc-encoding": "identity" }, enveloped],
  ])("by %s", async (_name, headers, body) => {
    const { port, tookFastPath } = await startWatched();
    expect((await http2Request(port, { ":path": path, ...headers }, body)).status).toBe(200);
    expect(tookFastPath()).toEqual([true]);
  });
});

test.each<[string, Record<string, string>, Uint8Array]>([
  ["a GET", { ":method": "GET", ":path": `${path}?encoding=json&message=${encodeURIComponent(json.toString())}` }, Buffer.alloc(0)],
  ["a content type with parameters", { "content-type": "application/json; charset=utf-8" }, json],
  ["gRPC with JSON", { "content-type": "application/grpc+json", te: "trailers" }, envelope(json)],
  ["a compressed body", { "content-type": "application/json", "content-encoding": "gzip" }, gzipSync(json)],
  ["a compressed envelope", { "content-type": "application/grpc", "grpc-encoding": "gzip" }, envelope(gzipSync(binary), 1)],
  ["JSON with a byte order mark", { "content-type": "application/json" }, Buffer.concat([Buffer.from("\ufeff"), json])],
  ["a path with a query", { ":path": `${path}?a=b`, "content-type": "application/json" }, json],
])("%s is left to the stock adapter, and is answered", async (_name, headers, body) => {
  const { port, tookFastPath } = await startWatched();
  expect((await http2Request(port, { ":path": path, ...headers }, body)).status).toBe(200);
  expect(tookFastPath()).toEqual([false]);
});

test("headers and trailers set by a handler arrive on either path", async () => {
  for (const hasUnaryFastPath of [true, false]) {
    const { port } = await startTestGateway({
      hasUnaryFastPath,
      onFindNearest(_signal, { responseHeader, responseTrailer }) {
        responseHeader.set("x-head", "1");
        responseTrailer.set("x-tail", "2");
      },
    });
    const plain = await http2Request(port, { ":path": path, "content-type": "application/json" }, json);
    expect(plain.headers).toMatchObject({ "x-head": "1", "trailer-x-tail": "2" });
    const grpc = await http2Request(port, { ":path": path, "content-type": "application/grpc", te: "trailers" }, enveloped);
    expect(grpc.headers).toMatchObject({ "x-head": "1" });
    expect(grpc.trailers).toMatchObject({ "x-tail": "2", "grpc-status": "0" });
    const web = await http2Request(port, { ":path": path, "content-type": "application/grpc-web" }, enveloped);
    expect(web.body.toString("latin1")).toContain("x-tail: 2");
  }
});
