import { STATUS_CODES } from "node:http";

/** Characters that Node refuses in the value of a header. */
const forbiddenInValue = /[^\t -~\x80-\xff]/;

/**
 * Returns the head of an answer, byte for byte as Node's own server writes it.
 *
 * @param bodyBytes the length of the body, used if the headers do not say it
 * @param keepAlive the headers of {@link keepAliveLines}. Undefined: the connection is closed after the answer.
 * @throws {TypeError} if a header has a value that HTTP does not allow
 */
export function responseHead(status: number, headers: Record<string, string>, bodyBytes: number, keepAlive: string | undefined): string {
  let head = status === 200 ? "HTTP/1.1 200 OK\r\n" : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  if (keepAlive === undefined) head += "connection: close\r\n";
  let hasLength = false;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (forbiddenInValue.test(value)) throw new TypeError(`the header ${name} has a character that no header may have`);
    if (name === "content-length") hasLength = true;
    head += `${name}: ${value}\r\n`;
  }
  head += dateLine();
  if (keepAlive !== undefined) head += keepAlive;
  return hasLength ? `${head}\r\n` : `${head}Content-Length: ${bodyBytes}\r\n\r\n`;
}

/** Returns the headers that say that the connection is kept open for `timeoutMs`. 0: without limit. */
export function keepAliveLines(timeoutMs: number): string {
  return `Connection: keep-alive\r\n${timeoutMs === 0 ? "" : `Keep-Alive: timeout=${Math.floor(timeoutMs / 1000)}\r\n`}`;
}

let second = Number.NaN;
let line = "";

/** Returns the Date header for an answer that is sent now. It is built once a second. */
function dateLine(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`;
  }
  return line;
}
