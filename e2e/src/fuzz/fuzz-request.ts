/** One request of a fuzz run, and what may come of it. */
export interface FuzzRequest {
  /** What was spoilt, for whoever has to find out why an answer was wrong. */
  what: string;
  /** The HTTP method. */
  verb: string;
  path: string;
  /** In order; a name may come twice. Content-Length and Host are added unless {@link isFramedByHand}. */
  headers: (readonly [name: string, value: string])[];
  body: Buffer;
  /** When an answer is due, in ms. */
  dueMs: number;
  /** Whether the answer may go on for ever. */
  isEndless: boolean;
  /** Over HTTP/1.1: the headers frame the body, rightly or not, and the body goes out as it is. */
  isFramedByHand: boolean;
  /** Whether HTTP itself is broken, so that its parser may answer without a reason, or only hang up. */
  isBrokenHttp: boolean;
}

/** The request as HTTP/1.1 has it, byte for byte. */
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

/** Its headers as HTTP/2 has them. Of a name that came twice the last one goes, since Node's client sends most of them once only. */
export function renderHttp2({ verb, path, headers }: FuzzRequest): Record<string, string> {
  return { ":method": verb, ":path": path, ...Object.fromEntries(headers) };
}
