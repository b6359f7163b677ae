import type { Problem } from "./problem.ts";

/** The codes of errors that may pass. */
const passing = new Set(["aborted", "deadline_exceeded", "resource_exhausted", "unavailable"]);

interface Detail {
  readonly type?: unknown;
  readonly value?: unknown;
}

/** What went wrong, by an answer of the Connect protocol that says so. @param body its JSON; undefined: it was something else */
export function readFailure(status: number, body: unknown): Problem {
  const { code, message, details } = (body ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  if (typeof code !== "string") {
    const sentence = `The gateway answered with HTTP ${status} and no error of Petak: is its address right?`;
    return { reason: "GATEWAY_ANSWER_INVALID", message: sentence, isPassing: status >= 500 || status === 429 };
  }
  const list = Array.isArray(details) ? (details as Detail[]) : [];
  const detailOf = (type: string): unknown => list.find((detail) => detail?.type === type)?.value;
  return {
    reason: firstText(detailOf("google.rpc.ErrorInfo")) ?? code.toUpperCase(),
    message: typeof message === "string" ? message : "",
    isPassing: passing.has(code),
    ...retryAfter(detailOf("google.rpc.RetryInfo")),
  };
}

/** The bytes of a detail. @param value base64, with or without padding */
function bytesOf(value: unknown): Uint8Array | undefined {
  try {
    return typeof value === "string" ? Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

/** Field 1 of a message, if it is a text of at most 127 bytes: the reason of an ErrorInfo. */
function firstText(value: unknown): string | undefined {
  const bytes = bytesOf(value);
  const length = bytes?.[1] ?? 0;
  if (bytes?.[0] !== 0x0a || length === 0 || length > 127) return undefined;
  return String.fromCharCode(...bytes.subarray(2, 2 + length));
}

/** The delay of a RetryInfo: field 1, a Duration, whose field 1 are the seconds. Fractions count as a second. */
function retryAfter(value: unknown): { retryAfterMs?: number } {
  const bytes = bytesOf(value);
  if (bytes?.[0] !== 0x0a) return {};
  const duration = bytes.subarray(2, 2 + (bytes[1] ?? 0));
  let seconds = 0;
  if (duration[0] === 0x08) {
    for (let at = 1, shift = 0; at < duration.length && shift < 28; at += 1, shift += 7) {
      seconds |= ((duration[at] ?? 0) & 0x7f) << shift;
      if ((duration[at] ?? 0) < 0x80) break;
    }
  }
  return { retryAfterMs: (seconds + 1) * 1000 };
}
