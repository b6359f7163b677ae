import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";

/** The protocol's range of `occurred_at`, in ms: 2000-01-01 to 2200-01-01. */
const earliestMs = 946_684_800_000;
const latestMs = 7_258_118_400_000;

/** The time of a report: that of a lost clock must not make the gateway reject it. */
export function reportTime(atMs: number): Timestamp {
  return timestampFromMs(Math.min(latestMs, Math.max(earliestMs, atMs)));
}
