import { toJsonString } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";

/** Matches text that needs no escaping in JSON. */
const plainText = /^[A-Za-z0-9_-]*$/;

/** Encodes a text as JSON. */
export function textJson(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Encodes a time as JSON exactly as the library does. Times in whole ms since 1970 take a fast path. */
export function timestampJson(time: Timestamp): string {
  const { seconds, nanos } = time;
  const isPlain =
    time.$unknown === undefined && seconds >= 0n && seconds < 100_000_000_000n && nanos % 1_000_000 === 0 && nanos >= 0 && nanos < 1e9;
  if (!isPlain) return toJsonString(TimestampSchema, time);
  const text = new Date(Number(seconds) * 1000 + nanos / 1_000_000).toISOString();
  return nanos === 0 ? `"${text.slice(0, -5)}Z"` : `"${text}"`;
}
