import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ConditionKind, SiteConditionSchema } from "@petak/protocol";
import { expect, test } from "vitest";
import { describeCondition } from "./site-condition.ts";

test("a condition is told in words, an alarm by its kind alone, and one of a later release by its number", () => {
  const times = { since: timestampFromMs(Date.UTC(2026, 10, 27, 2, 14)), until: timestampFromMs(Date.UTC(2026, 10, 27, 3, 14)) };
  const told = [
    { kind: ConditionKind.STORAGE_FAILED, count: 3, ...times },
    { kind: ConditionKind.CLOCK_CORRECTED, count: 1, clockAheadMs: -86_400_000n },
    { kind: ConditionKind.STORE_NEW, parcels: 1, ...times, until: times.since },
    { kind: ConditionKind.STORE_DAMAGED },
    { kind: 99 as ConditionKind },
  ];
  expect(told.map((one) => describeCondition(create(SiteConditionSchema, one)))).toEqual([
    "STORAGE_FAILED, 3 times, from 2026-11-27T02:14Z to 2026-11-27T03:14Z",
    "CLOCK_CORRECTED, 86400 s behind",
    "STORE_NEW, 1 parcel taken over, at 2026-11-27T02:14Z",
    "STORE_DAMAGED",
    "99",
  ]);
});
