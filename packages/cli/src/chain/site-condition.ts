import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ConditionKind, type SiteCondition } from "@petak/protocol";
import { nameIn } from "./name-in.ts";

/** What is wrong with a device, in words: `STORAGE_FAILED, 3 times, from 2026-11-27T02:14Z to 2026-11-27T03:14Z`. */
export function describeCondition({ kind, count, since, until, clockAheadMs, parcels }: SiteCondition): string {
  const minute = (time: typeof since) => (time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 16)}Z`);
  const secondsAhead = Number(clockAheadMs) / 1000;
  return [
    nameIn(ConditionKind, kind),
    ...(count > 1 ? [`${count} times`] : []),
    ...(clockAheadMs === 0n ? [] : [`${Math.abs(secondsAhead)} s ${secondsAhead > 0 ? "ahead" : "behind"}`]),
    ...(parcels === 0 ? [] : [`${parcels} ${parcels === 1 ? "parcel" : "parcels"} taken over`]),
    ...(since === undefined ? [] : [minute(since) === minute(until) ? `at ${minute(since)}` : `from ${minute(since)} to ${minute(until)}`]),
  ].join(", ");
}
