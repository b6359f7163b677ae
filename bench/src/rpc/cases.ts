import { randomInt, randomUUID } from "node:crypto";
import { create, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { FindNearestRequestSchema, type FindNearestResponse, FindNearestResponseSchema, ReserveRequestSchema } from "@petak/protocol";
import { HealthCheckRequestSchema } from "@petak/protocol/grpc";
import { createRandom } from "@petak/testkit";
import type { LoadRequest } from "./generators.ts";

/** How a call comes. */
export type Protocol = "Connect JSON" | "Connect binary" | "gRPC";

/** The protocols, and the HTTP below each. */
export const protocols: readonly { protocol: Protocol; isHttp2: boolean }[] = [
  { protocol: "Connect JSON", isHttp2: false },
  { protocol: "Connect binary", isHttp2: false },
  { protocol: "gRPC", isHttp2: true },
];

/** A parcel that fits everywhere. */
const search = { parcel: { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1500 }, limit: 5 };

/** A search from the middle of the bench's city. */
const findNearestRequest = create(FindNearestRequestSchema, { origin: { latitude: 1.3521, longitude: 103.8198 }, ...search });

/** The call that does nothing. */
export function emptyCall(port: number, protocol: Protocol): LoadRequest {
  const message = create(HealthCheckRequestSchema);
  const path = "/grpc.health.v1.Health/Check";
  return call(port, path, protocol, toBinary(HealthCheckRequestSchema, message), toJson(HealthCheckRequestSchema, message), {});
}

/** Five options near one place, over and over. */
export function findNearestCall(port: number, protocol: Protocol, authorization: string): LoadRequest {
  const path = "/petak.v1.DirectoryService/FindNearest";
  const json = toJson(FindNearestRequestSchema, findNearestRequest);
  return call(port, path, protocol, toBinary(FindNearestRequestSchema, findNearestRequest), json, { authorization });
}

/** Places from which a search from all over the city starts, in turn. */
const originCount = 4096;

/** Five options near places all over the city: the hot path as people use it. Not for h2load, which sends one body. */
export function findNearestAllOverCall(port: number, protocol: "Connect JSON" | "Connect binary", authorization: string): LoadRequest {
  const random = createRandom(1);
  const bodies = Array.from({ length: originCount }, () => {
    const request = create(FindNearestRequestSchema, {
      origin: { latitude: random.float(1.24, 1.46), longitude: random.float(103.61, 104.03) },
      ...search,
      // Parts of the square lie abroad.
      requirements: { anyCountry: true },
    });
    return protocol === "Connect JSON"
      ? Buffer.from(JSON.stringify(toJson(FindNearestRequestSchema, request)))
      : toBinary(FindNearestRequestSchema, request);
  });
  return { ...findNearestCall(port, protocol, authorization), bodies };
}

/**
 * Reserve at the nearest of what fits, each time with another request id and from another place in the city, so that no repetition is
 * answered from memory and no site fills up. For wrk alone.
 */
export function reserveCall(port: number, authorization: string): LoadRequest {
  const body = `{"requestId":"%s%012x","nearest":{"origin":${originFormat}},"parcel":${parcelJson},"requirements":{"anyCountry":true}}`;
  return luaCall(port, "/petak.v1.ReservationService/Reserve", authorization, body, `id, count, ${originArguments}`);
}

/** An origin as Lua formats it, and its two numbers. Parts of the city's square lie abroad, so any country will do. */
const originFormat = '{"latitude":%.6f,"longitude":%.6f}';
const originArguments = "1.24 + random() * 0.22, 103.61 + random() * 0.42";
const parcelJson = JSON.stringify(search.parcel);

function luaCall(port: number, path: string, authorization: string, format: string, formatArguments: string): LoadRequest {
  const lua = () => `
math.randomseed(${randomInt(2 ** 31)})
local random = math.random
local id = string.format("%08x-%04x-4000-8000-", random(0, 0x7fffffff), random(0, 0xffff))
local count = 0
request = function()
  count = count + 1
  return wrk.format("POST", nil, nil, string.format('${format}', ${formatArguments}))
end
`;
  return { url: `http://127.0.0.1:${port}${path}`, headers: { "content-type": "application/json", authorization }, lua };
}

/** One such request, to see that it is answered. */
export function oneReserveCall(port: number, authorization: string): LoadRequest {
  const message = create(ReserveRequestSchema, {
    requestId: randomUUID(),
    place: { case: "nearest", value: { origin: findNearestRequest.origin } },
    parcel: findNearestRequest.parcel,
  });
  const json = toJson(ReserveRequestSchema, message);
  return call(port, "/petak.v1.ReservationService/Reserve", "Connect JSON", new Uint8Array(), json, { authorization });
}

function call(
  port: number,
  path: string,
  protocol: Protocol,
  binary: Uint8Array,
  json: JsonValue,
  headers: Record<string, string>,
): LoadRequest {
  const url = `http://127.0.0.1:${port}${path}`;
  switch (protocol) {
    case "Connect JSON":
      return { url, body: Buffer.from(JSON.stringify(json)), headers: { ...headers, "content-type": "application/json" } };
    case "Connect binary":
      return { url, body: binary, headers: { ...headers, "content-type": "application/proto" } };
    case "gRPC": {
      const envelope = Buffer.alloc(5 + binary.length);
      envelope.writeUInt32BE(binary.length, 1);
      envelope.set(binary, 5);
      return { url, body: envelope, headers: { ...headers, "content-type": "application/grpc", te: "trailers" } };
    }
  }
}

/** Reads an answer to {@link findNearestCall} over HTTP/1.1, to see that it is one. */
export function readFindNearest(protocol: Protocol, body: Uint8Array): FindNearestResponse {
  return protocol === "Connect JSON"
    ? fromJson(FindNearestResponseSchema, JSON.parse(Buffer.from(body).toString()) as JsonValue)
    : fromBinary(FindNearestResponseSchema, body);
}
