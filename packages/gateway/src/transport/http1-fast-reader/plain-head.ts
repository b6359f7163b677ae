import type { RequestHead } from "../http/node-http.ts";

/** The head of a request that the fast reader supports. */
export interface PlainHead extends RequestHead {
  /** Its length, including the empty line, in bytes. */
  readonly headBytes: number;
  /** The length of the body, in bytes. */
  readonly bodyBytes: number;
}

/** The longest supported head, in bytes. A request token and everything that a proxy adds take half of it. */
export const plainHeadMaxBytes = 8 * 1024;

/** The longest supported body, in bytes. Reading a longer one takes so long that the parser of its head does not matter. */
export const plainBodyMaxBytes = 64 * 1024;

const fieldsMax = 64;

const requestLine = /POST (\/[\w.]+\/\w+) HTTP\/1\.1\r\n/y;
const beginning = "POST /";

/** One header line: one space before the value, none after it, only visible ASCII characters and spaces in it. */
const fieldLine = /([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r\n/y;

const hostPattern = /^[A-Za-z0-9.:[\]-]+$/;
const lengthPattern = /^(?:0|[1-9][0-9]{0,6})$/;

/** Headers that change the framing of a request or the use of its connection. */
const unsupportedHeaders = ["transfer-encoding", "expect", "upgrade", "trailer", "te", "proxy-connection", "http2-settings"];

/**
 * Parses the head of a request at the beginning of a text. Returns `incomplete` if more bytes could make it a supported head, `unsupported` for
 * everything else.
 *
 * Everything that two parsers could read in two ways is unsupported and left to Node's parser, so that the gateway never sees other requests
 * than a proxy in front of it (request smuggling). A head is supported only if all of this holds:
 *
 * - The line is `POST /<service>/<Method> HTTP/1.1`, with single spaces and no query.
 * - Lines end with CR LF; neither character occurs elsewhere. No line continues the line before.
 * - Each header is `Name: value`: letters, digits and hyphens, a colon, one space, visible ASCII characters with spaces between them.
 * - No name occurs twice. There are at most 64 headers; the whole head has at most 8 KiB.
 * - There is a Host, and a Content-Length in decimal digits without leading zeros, of at most 64 KiB.
 * - There is no Transfer-Encoding, Expect, Upgrade, Trailer or TE, and no Connection but `keep-alive`.
 */
export function parsePlainHead(text: string): PlainHead | "incomplete" | "unsupported" {
  if (!text.startsWith(beginning)) return beginning.startsWith(text) ? "incomplete" : "unsupported";
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return text.length < plainHeadMaxBytes ? "incomplete" : "unsupported";
  const headBytes = end + 4;
  if (headBytes > plainHeadMaxBytes) return "unsupported";
  requestLine.lastIndex = 0;
  const path = requestLine.exec(text)?.[1];
  if (path === undefined) return "unsupported";
  const headers = readFields(text, requestLine.lastIndex, end + 2);
  if (headers === undefined) return "unsupported";
  const { host, connection, "content-length": length } = headers;
  if (host === undefined || !hostPattern.test(host)) return "unsupported";
  if (connection !== undefined && connection.toLowerCase() !== "keep-alive") return "unsupported";
  if (length === undefined || !lengthPattern.test(length) || Number(length) > plainBodyMaxBytes) return "unsupported";
  if (unsupportedHeaders.some((name) => name in headers)) return "unsupported";
  return { method: "POST", path, headers, isHttp2: false, headBytes, bodyBytes: Number(length) };
}

/** Parses the headers between two positions in a text. Undefined if one of them is unsupported. */
function readFields(text: string, from: number, to: number): Record<string, string> | undefined {
  const headers = Object.create(null) as Record<string, string>;
  fieldLine.lastIndex = from;
  for (let count = 0; fieldLine.lastIndex < to; count += 1) {
    const [, name = "", value = ""] = (count < fieldsMax && fieldLine.exec(text)) || [];
    const lowered = name.toLowerCase();
    if (name === "" || lowered in headers) return undefined;
    headers[lowered] = value;
  }
  return headers;
}
