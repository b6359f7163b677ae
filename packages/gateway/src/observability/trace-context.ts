/** The header by which callers pass on their trace, as W3C Trace Context says. */
export const traceparentHeader = "traceparent";

/** What a caller says of the trace that a call belongs to. */
export interface TraceContext {
  /** The trace, 32 hexadecimal digits. */
  readonly traceId: string;
  /** The caller's span, 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly isSampled: boolean;
}

/** Versions after 00 may append fields, each after a hyphen. */
const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Parses a `traceparent` header. Undefined if there is none, or one that W3C Trace Context says to ignore, such as two in one. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = traceparentPattern.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The `traceparent` of a recorded span: always 55 characters, whatever a caller's header had in addition. */
export function formatTraceparent({ traceId, spanId }: Pick<TraceContext, "traceId" | "spanId">): string {
  return `00-${traceId}-${spanId}-01`;
}
