/** A parsed HTTP/1.1 response. */
export interface ParsedAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Parses one response incrementally. */
export interface Http1Parser {
  /** Consumes bytes. Returns the response once it is complete. */
  push(chunk: Buffer): ParsedAnswer | undefined;
  /** Signals the end of input. Returns the response if the end completes it. */
  end(): ParsedAnswer | undefined;
  /** What has arrived so far; status 0 before the header is complete. */
  soFar(): ParsedAnswer;
}

const headEnd = Buffer.from("\r\n\r\n");

/** Makes a parser for one response: of a declared length, chunked, or up to the end of the connection. Interim responses are skipped. */
export function createHttp1Parser({ isBodyless = false }: { isBodyless?: boolean } = {}): Http1Parser {
  let received: Buffer = Buffer.alloc(0);
  let head: { status: number; headers: Record<string, string> } | undefined;

  /** Reads headers until the final response's header is complete. */
  function readHead(): void {
    while (head === undefined) {
      const end = received.indexOf(headEnd);
      if (end < 0) return;
      const [statusLine = "", ...lines] = received.toString("latin1", 0, end).split("\r\n");
      received = received.subarray(end + headEnd.byteLength);
      const status = Number(statusLine.split(" ", 2)[1]);
      if (status >= 100 && status < 200) continue;
      head = { status, headers: readFields(lines) };
    }
  }

  function whole(isEnd: boolean): ParsedAnswer | undefined {
    readHead();
    if (head === undefined) return undefined;
    const { status, headers } = head;
    if (isBodyless || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) };
    if (headers["transfer-encoding"] === "chunked") {
      const body = readChunks(received);
      return body === undefined ? undefined : { status, headers, body };
    }
    const declared = headers["content-length"];
    if (declared === undefined) return isEnd ? { status, headers, body: received } : undefined;
    const length = Number(declared);
    return received.byteLength < length ? undefined : { status, headers, body: received.subarray(0, length) };
  }

  return {
    push(chunk) {
      received = received.byteLength === 0 ? chunk : Buffer.concat([received, chunk]);
      return whole(false);
    },
    end: () => whole(true),
    soFar: () => ({ status: head?.status ?? 0, headers: head?.headers ?? {}, body: received }),
  };
}

/** Header fields by lower-case name. */
export function readFields(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = fields[name];
    fields[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return fields;
}

/** The content of a chunked body; undefined before its end. */
function readChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (size === 0) return bytes.byteLength < end + 2 ? undefined : Buffer.concat(chunks);
    if (Number.isNaN(size) || bytes.byteLength < end + 2) return undefined;
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
