import { create, type DescMethod, type JsonValue, type MessageInitShape, toBinary, toJson } from "@bufbuild/protobuf";
import { createHttp1Connection } from "./http1-connection.ts";
import { createHttp2Connection } from "./http2-connection.ts";
import { bodyOf, type Spelling, spellingOf, type WireProtocol } from "./protocols.ts";
import type { RawAnswer } from "./raw-answer.ts";

/** What one call says beside its message. */
export interface CallOptions {
  /** The Authorization header; none where it is left out. */
  authorization?: string;
  /** Further headers, or others than the protocol's own. */
  headers?: Record<string, string>;
  /** The deadline that is sent, in ms. */
  timeoutMs?: number;
  /** The body as it is sent, envelopes and all, in place of the message. */
  body?: Uint8Array;
  /** The path in place of the method's. */
  path?: string;
}

/** Makes calls to a gateway, byte for byte as they are told: for what no proper client would send. */
export interface RawCaller {
  /** Makes a call with a message, given as for `create`. */
  call<Method extends DescMethod>(
    protocol: WireProtocol,
    method: Method,
    message: MessageInitShape<Method["input"]>,
    options?: CallOptions,
  ): Promise<RawAnswer>;
  /** Makes a call in JSON with any value for a message. */
  callJson(method: DescMethod, message: JsonValue, options?: CallOptions): Promise<RawAnswer>;
  close(): void;
}

/** No call of these tests takes longer: the gateway's own limit is below. */
const patienceMs = 60_000;

/** Makes a caller. Calls that come after one another share its connections; gRPC goes over HTTP/2, the others over HTTP/1.1. */
export function createRawCaller(port: number): RawCaller {
  const free = [createHttp1Connection(port)];
  const http2 = createHttp2Connection(port);

  async function send(protocol: WireProtocol, method: DescMethod, bytes: Uint8Array, options: CallOptions): Promise<RawAnswer> {
    const spelling = spellingOf(protocol, method.methodKind !== "unary");
    const path = options.path ?? pathOf(method);
    const body = options.body ?? bodyOf(spelling, bytes);
    const headers = headersOf(spelling, options);
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

function headersOf(spelling: Spelling, { authorization, timeoutMs, headers = {} }: CallOptions): Record<string, string> {
  return {
    "content-type": spelling.contentType,
    ...(authorization === undefined ? {} : { authorization }),
    ...(timeoutMs === undefined ? {} : { [spelling.timeoutHeader]: spelling.timeoutValue(timeoutMs) }),
    ...headers,
  };
}
