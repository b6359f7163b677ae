import { type Purpose, SiteKind } from "@petak/protocol";
import { recordFlag } from "../block/record.ts";
import { purposeFlag } from "../block/record-flags.ts";
import type { ParcelMeasures } from "../block/size-profile.ts";
import type { Position } from "../geo/position.ts";

/** What a caller looks for. Everything is a hard filter. */
export interface NearestQuery {
  /** Where to look from. */
  origin: Position;
  /** What must fit. */
  parcel: ParcelMeasures;
  /** What the place is for. */
  purpose: Purpose;
  /** Whether the caller sees the test network, and nothing else, or the live network, and nothing else. */
  isTest: boolean;
  /** How many candidates at most, from 1. */
  limit: number;
  /** The greatest distance in m, included; Infinity for none. */
  radiusM: number;
  /** Kinds wanted; empty: all. */
  kinds: readonly SiteKind[];
  /** Operators allowed; empty: all. */
  operatorIds: readonly string[];
  /** Operators refused. */
  excludedOperatorIds: readonly string[];
}

/** A record passes where `(flags & mask) === value`. */
export interface FlagFilter {
  mask: number;
  value: number;
}

/** The filter over a record's flags that a query asks for. */
export function flagFilter(query: NearestQuery): FlagFilter {
  const purpose = purposeFlag(query.purpose);
  let mask = recordFlag.test | purpose;
  let value = purpose | (query.isTest ? recordFlag.test : 0);
  if (query.kinds.length === 1) {
    const kind = query.kinds[0] === SiteKind.PARCEL_TERMINAL ? recordFlag.parcelTerminal : recordFlag.collectionPoint;
    mask |= kind;
    value |= kind;
  }
  return { mask, value };
}
