import { connect as connectHttp2, constants, type OutgoingHttpHeaders } from "node:http2";
import { connect, type Socket } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { ErrorInfoSchema, StatusSchema } from "@petak/protocol/google-rpc";
import { onTestFinished } from "vitest";

/** A complete answer over HTTP/2. */
export interface Http2Answer {
  status: number;
  headers: Record<string, string>;
  trailers: Record<string, string>;
  body: Buffer;
  /** The code with which the stream was closed. */
  rstCode: number;
}

/** Sends one request over HTTP/2 in cleartext, unchanged. */
export function http2Request(port: number, headers: OutgoingHttpHeaders, body: Uint8Array = new Uint8Array()): Promise<Http2Answer> {
  // Node's client discards an early answer if it has more to send than its session memory, by default 10 MB.
  const session = connectHttp2(`http://127.0.0.1:${port}`, { maxSessionMemory: 64 });
  return new Promise<Http2Answer>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ [constants.HTTP2_HEADER_METHOD]: "POST", ...headers }, { endStream: false });
    const answer = { status: 0, headers: {}, trailers: {}, body: Buffer.alloc(0), rstCode: 0 };
    const chunks: Buffer[] = [];
    stream.on("response", (received) => Object.assign(answer, { status: received[":status"], headers: received }));
    stream.on("trailers", (received) => Object.assign(answer, { trailers: received }));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("close", () => resolve({ ...answer, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 }));
    stream.end(body);
  }).finally(() => session.close());
}

/** Opens a connection that collects what it receives. It is closed at the end of the test. */
export async function rawConnection(port: number): Promise<{ socket: Socket; received: () => string; closed: Promise<void> }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.once("end", () => {
      socket.end();
      resolve();
    });
  });
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  onTestFinished(() => void socket.destroy());
  return { socket, received: () => Buffer.concat(chunks).toString("latin1"), closed };
}

/** Returns the reason in an error of plain Connect. */
export function reasonInJson(body: string | Uint8Array): string | undefined {
  const { details = [] } = JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString()) as {
    details?: { type: string; value: string }[];
  };
  const info = details.find(({ type }) => type === ErrorInfoSchema.typeName);
  return info === undefined ? undefined : fromBinary(ErrorInfoSchema, base64Decode(info.value)).reason;
}

/** Returns the reason in the trailers of gRPC. */
export function reasonInTrailers(trailers: Record<string, string>): string | undefined {
  const details = trailers["grpc-status-details-bin"];
  if (details === undefined) return undefined;
  const any = fromBinary(StatusSchema, base64Decode(details)).details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfoSchema.typeName));
  return any === undefined ? undefined : fromBinary(ErrorInfoSchema, any.value).reason;
}

/** Returns the reason in the last frame of gRPC-Web. */
export function reasonInLastFrame(body: Uint8Array): string | undefined {
  const trailers: Record<string, string> = {};
  for (const envelope of envelopes(body)) {
    if ((envelope.flags & 0x80) === 0) continue;
    for (const line of Buffer.from(envelope.data).toString().split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) trailers[line.slice(0, colon)] = line.slice(colon + 1).trim();
    }
  }
  return reasonInTrailers(trailers);
}

/** Returns the reason in the last envelope of a Connect stream. */
export function reasonInEndStream(body: Uint8Array): string | undefined {
  const end = envelopes(body).find(({ flags }) => (flags & 2) !== 0);
  if (end === undefined) return undefined;
  const { error } = JSON.parse(Buffer.from(end.data).toString()) as { error?: unknown };
  return error === undefined ? undefined : reasonInJson(JSON.stringify(error));
}

/** Returns a message in its envelope. */
export function envelope(data: Uint8Array, flags = 0): Uint8Array {
  const bytes = Buffer.alloc(5 + data.byteLength);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(data.byteLength, 1);
  bytes.set(data, 5);
  return bytes;
}

/** Returns the envelopes of a body. */
export function envelopes(body: Uint8Array): { flags: number; data: Uint8Array }[] {
  const found = [];
  const bytes = Buffer.from(body);
  for (let at = 0; at + 5 <= bytes.byteLength; ) {
    const length = bytes.readUInt32BE(at + 1);
    found.push({ flags: bytes.readUInt8(at), data: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return found;
}

/** What an HTTP/2 client sends first: the preface and empty settings. */
export const http2Beginning: Uint8Array = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");

/** Returns the HTTP/2 frames of a POST whose body does not end, and one that resets it. `headers` come after the method and the scheme. */
export function resetRequest(streamId: number, headers: Readonly<Record<string, string>>, body: string): [Uint8Array, Uint8Array] {
  const fields = Object.entries(headers).map(([name, value]) => {
    const text = (part: string) => String.fromCharCode(part.length) + part;
    return `\0${text(name)}${text(value)}`;
  });
  // From the static table: ":method: POST" and ":scheme: http".
  const head = `\x83\x86${fields.join("")}`;
  const begun = [frame(1, 4, streamId, head), ...(body === "" ? [] : [frame(0, 0, streamId, body)])];
  return [Buffer.concat(begun), frame(3, 0, streamId, "\0\0\0\x08")];
}

function frame(type: number, flags: number, streamId: number, payload: string): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(streamId, 5);
  bytes.write(payload, 9, "latin1");
  return bytes;
}
