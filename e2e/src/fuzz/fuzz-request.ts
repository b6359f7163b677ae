/** One request of a fuzz run, and the permitted outcomes. */
export interface FuzzRequest {
  /** What was mutated, for the complaint about a wrong response. */
  what: string;
  /** The HTTP method. */
  verb: string;
  path: string;
  /** In order; names may repeat. Content-Length and Host are added unless {@link isFramedByHand}. */
  headers: (readonly [name: string, value: string])[];
  body: Buffer;
  /** When a response is due, in ms. */
  dueMs: number;
  /** Whether the response may be endless. */
  isEndless: boolean;
  /** Over HTTP/1.1: the headers frame the body, correctly or not, and the body is sent unchanged. */
  isFramedByHand: boolean;
  /** Whether the request violates HTTP itself, so that the HTTP parser may respond without a reason or just disconnect. */
  isBrokenHttp: boolean;
}

/** The request as HTTP/1.1 bytes. */
export function renderHttp1({ verb, path, headers, body, isFramedByHand }: FuzzRequest): Buffer {
  const framing: (readonly [string, string])[] = isFramedByHand
    ? []
    : [
        ["host", "gateway.test"],
        ["content-length", String(body.byteLength)],
      ];
  const lines = [...headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${verb} ${path} HTTP/1.1\r\n${lines}\r\n`, "latin1"), body]);
}

/** The headers for HTTP/2. Of a repeated name only the last value is kept, because Node's client sends most names only once. */
export function renderHttp2({ verb, path, headers }: FuzzRequest): Record<string, string> {
  return { ":method": verb, ":path": path, ...Object.fromEntries(headers) };
}
