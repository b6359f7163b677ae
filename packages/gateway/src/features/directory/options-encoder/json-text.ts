import { toJsonString } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";

/** A text that JSON writes as it is. */
const plainText = /^[A-Za-z0-9_-]*$/;

/** A text as JSON. */
export function textJson(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A time as the library writes it, without its detours where the time is one of this age in whole ms. */
export function timestampJson(time: Timestamp): string {
  const { seconds, nanos } = time;
  const isPlain =
    time.$unknown === undefined && seconds >= 0n && seconds < 100_000_000_000n && nanos % 1_000_000 === 0 && nanos >= 0 && nanos < 1e9;
  if (!isPlain) return toJsonString(TimestampSchema, time);
  const text = new Date(Number(seconds) * 1000 + nanos / 1_000_000).toISOString();
  return nanos === 0 ? `"${text.slice(0, -5)}Z"` : `"${text}"`;
}
