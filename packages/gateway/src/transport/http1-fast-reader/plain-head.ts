import type { RequestHead } from "../http/request-head.ts";

/** The head of a request that the fast reader takes. */
export interface PlainHead extends RequestHead {
  /** Its length, the empty line included. */
  readonly headBytes: number;
  /** The length of the body. */
  readonly bodyBytes: number;
}

/** The longest head that the fast reader reads, in bytes. A request token and all that a proxy adds are half of it. */
export const plainHeadMaxBytes = 8 * 1024;

/** The longest body that the fast reader takes, in bytes. Reading a longer one takes so long that who parses its head does not matter. */
export const plainBodyMaxBytes = 64 * 1024;

const fieldsMax = 64;

const requestLine = /POST (\/[\w.]+\/\w+) HTTP\/1\.1\r\n/y;
const beginning = "POST /";

/** One line of a header: one space before the value, none after it, and none but visible ASCII characters in it. */
const fieldLine = /([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r\n/y;

const hostPattern = /^[A-Za-z0-9.:[\]-]+$/;
const lengthPattern = /^(?:0|[1-9][0-9]{0,6})$/;

/** Headers that change how a request is framed or what becomes of its connection. */
const unsupported = ["transfer-encoding", "expect", "upgrade", "trailer", "te", "proxy-connection", "http2-settings"];

/**
 * Reads the head of a request at the beginning of a text, where it is written the one way that the fast reader knows. `incomplete` where it may
 * still become one; `unsupported` for everything else.
 *
 * Whatever two parsers could understand in two ways is unsupported, so that no proxy in front can be made to see other requests than the
 * gateway does. A head is taken only if all of this holds:
 *
 * - The line is `POST /<service>/<Method> HTTP/1.1`, with single spaces and no query.
 * - Lines end with CR LF; neither character stands anywhere else. No line continues another.
 * - Each header is `Name: value`: letters, digits and hyphens, a colon, one space, visible ASCII with spaces or nothing in between.
 * - No name comes twice. There are at most 64, and 8 KiB in all.
 * - There is one Host, and one Content-Length in plain decimal digits without leading zeros, of at most 64 KiB.
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
  if (unsupported.some((name) => name in headers)) return "unsupported";
  return { method: "POST", path, headers, isHttp2: false, headBytes, bodyBytes: Number(length) };
}

/** The headers between two places in a text; undefined where one of them is not written as it should be. */
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
