import { gunzipSync } from "node:zlib";
import { signerOf } from "@petak/testkit/network";
import { createHttp1Connection } from "../wire/http1-connection.ts";
import { createHttp2Connection } from "../wire/http2-connection.ts";
import { proofOf } from "../wire/prove.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import { type FuzzRequest, renderHttp1, renderHttp2 } from "./fuzz-request.ts";

/** Sends one request and waits for its response. */
export type Send = (request: FuzzRequest) => Promise<RawAnswer>;

/** How long to wait for a response, in ms: long enough to measure how late a late one is. */
const patienceMs = 60_000;

/** Replaces the token of a caller by its present one: runs last longer than a token. */
async function signed(request: FuzzRequest): Promise<FuzzRequest> {
  const headers = request.headers.map(async ([name, value]) => {
    const signer = name === "authorization" ? signerOf(value) : undefined;
    return [name, signer === undefined ? value : await signer.authorization()] as const;
  });
  return { ...request, headers: await Promise.all(headers) };
}

/** Adds the proof that the caller would sign for exactly these bytes, unless the request has a DPoP header or is framed by hand. */
async function proven(request: FuzzRequest): Promise<FuzzRequest> {
  const header = (wanted: string) => request.headers.find(([name]) => name === wanted)?.[1];
  if (header("dpop") !== undefined || request.isFramedByHand || request.verb !== "POST") return request;
  const type = header("content-type") ?? "";
  const isFramed = /grpc/.test(type);
  const sent = isFramed ? request.body.subarray(5) : request.body;
  const isPacked = isFramed ? ((request.body[0] ?? 0) & 1) === 1 : header("content-encoding") === "gzip";
  const message = isPacked ? unpacked(sent) : sent;
  const proof = await proofOf({ authorization: header("authorization"), path: request.path, message, isJson: /json/.test(type) });
  return { ...request, headers: [...request.headers, ...Object.entries(proof)] };
}

/** What bytes were before they were packed, or the bytes if they are no gzip or too much. */
function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: 1_048_576 });
  } catch {
    return bytes;
  }
}

/** Opens a connection for fuzz requests. */
export function connect(port: number, http: 1 | 2): { send: Send; close(): void } {
  if (http === 2) {
    const session = createHttp2Connection(port);
    return {
      send: async (request) =>
        session.send({
          headers: renderHttp2(await proven(await signed(request))),
          body: request.body,
          timeoutMs: patienceMs,
          isEndless: request.isEndless,
        }),
      close: session.close,
    };
  }
  const kept = createHttp1Connection(port);
  return {
    async send(request) {
      const sending = { bytes: renderHttp1(await proven(await signed(request))), timeoutMs: patienceMs, isEndless: request.isEndless };
      if (!request.isFramedByHand) return await kept.send(sending);
      // A wrongly framed body may leave bytes in the connection.
      const own = createHttp1Connection(port);
      const answer = await own.send(sending);
      own.close();
      return answer;
    },
    close: kept.close,
  };
}
