import { create, type DescMethod, type JsonValue, type MessageInitShape, toBinary, toJson } from "@bufbuild/protobuf";
import { createHttp1Connection } from "./http1-connection.ts";
import { createHttp2Connection } from "./http2-connection.ts";
import { bodyOf, type CallEncoding, callEncodingOf, type WireProtocol } from "./protocols.ts";
import { proofOf } from "./prove.ts";
import type { RawAnswer } from "./raw-answer.ts";

/** The parts of a call besides its message. */
export interface CallOptions {
  /** The Authorization header; omitted if undefined. */
  authorization?: string;
  /** Additional headers, or replacements of the protocol's own. */
  headers?: Record<string, string>;
  /** The deadline to send, in ms. */
  timeoutMs?: number;
  /** The body as sent, including envelopes, instead of the message. */
  body?: Uint8Array;
  /** The path, instead of the method's. */
  path?: string;
  /** The DPoP header; null: none. Default: a proof by the caller, if the method may need one. */
  proof?: string | null;
}

/** Sends exactly the given bytes to a gateway, for requests that no correct client would send. */
export interface RawCaller {
  /** Makes a call with a message, given as for `create`. */
  call<Method extends DescMethod>(
    protocol: WireProtocol,
    method: Method,
    message: MessageInitShape<Method["input"]>,
    options?: CallOptions,
  ): Promise<RawAnswer>;
  /** Makes a call in JSON with any value as its message. */
  callJson(method: DescMethod, message: JsonValue, options?: CallOptions): Promise<RawAnswer>;
  close(): void;
}

/** Longer than any call of these tests: the gateway's own limit is shorter. */
const patienceMs = 60_000;

/** Makes a caller. Consecutive calls share its connections; gRPC uses HTTP/2, the others HTTP/1.1. */
export function createRawCaller(port: number): RawCaller {
  const free = [createHttp1Connection(port)];
  const http2 = createHttp2Connection(port);

  async function send(protocol: WireProtocol, method: DescMethod, bytes: Uint8Array, options: CallOptions): Promise<RawAnswer> {
    const callEncoding = callEncodingOf(protocol, method.methodKind !== "unary");
    const path = options.path ?? pathOf(method);
    const body = options.body ?? bodyOf(callEncoding, bytes);
    const { authorization } = options;
    const prove = () => proofOf({ authorization, path, message: bytes, isJson: callEncoding.isJson });
    const proof = options.proof === undefined ? await prove() : options.proof === null ? {} : { dpop: options.proof };
    const headers = { ...headersOf(callEncoding, options), ...proof };
    if (protocol === "grpc") {
      return await http2.send({ headers: { ":method": "POST", ":path": path, te: "trailers", ...headers }, body, timeoutMs: patienceMs });
    }
    const connection = free.pop() ?? createHttp1Connection(port);
    const lines = Object.entries({ host: "gateway.test", ...headers, "content-length": body.byteLength }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const head = `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
    const answer = await connection.send({ bytes: Buffer.concat([Buffer.from(head, "latin1"), body]), timeoutMs: patienceMs });
    free.push(connection);
    return answer;
  }

  return {
    call(protocol, method, message, options = {}) {
      const { input } = method as DescMethod;
      const created = create(input, message as MessageInitShape<typeof input>);
      const bytes = protocol === "connect-json" ? Buffer.from(JSON.stringify(toJson(input, created))) : toBinary(input, created);
      return send(protocol, method, bytes, options);
    },
    callJson: (method, message, options = {}) => send("connect-json", method, Buffer.from(JSON.stringify(message)), options),
    close() {
      for (const connection of free) connection.close();
      http2.close();
    },
  };
}

/** The path of a method, e.g. `/petak.v1.DirectoryService/GetSite`. */
export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function headersOf(callEncoding: CallEncoding, { authorization, timeoutMs, headers = {} }: CallOptions): Record<string, string> {
  return {
    "content-type": callEncoding.contentType,
    ...(authorization === undefined ? {} : { authorization }),
    ...(timeoutMs === undefined ? {} : { [callEncoding.timeoutHeader]: callEncoding.timeoutValue(timeoutMs) }),
    ...headers,
  };
}
