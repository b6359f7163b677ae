import { STATUS_CODES } from "node:http";
import { dateLine } from "./date-line.ts";

/** Characters that Node refuses in the value of a header. */
const forbiddenInValue = /[^\t -~\x80-\xff]/;

/**
 * The head of an answer, as Node's own server writes it. A header whose value is none of HTTP's throws a TypeError.
 *
 * @param bodyBytes The length of the body, for answers whose headers do not say it.
 * @param keepAlive The headers of {@link keepAliveLines}. Undefined: the connection is closed after the answer.
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

/** The headers of an answer after which the connection is kept for this long, in ms. 0: for ever. */
export function keepAliveLines(timeoutMs: number): string {
  return `Connection: keep-alive\r\n${timeoutMs === 0 ? "" : `Keep-Alive: timeout=${Math.floor(timeoutMs / 1000)}\r\n`}`;
}
