import { Purpose } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import type { NearestQuery } from "../query/query.ts";

/** A parcel that fits the places of test sites with default measures. */
export const smallParcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

/** A query for the five nearest sites without further constraints; `rest` overrides its fields. */
export function plainQuery(origin: Position, rest: Partial<NearestQuery> = {}): NearestQuery {
  return {
    origin,
    parcel: smallParcel,
    purpose: Purpose.DELIVERY,
    isTest: true,
    limit: 5,
    radiusM: Number.POSITIVE_INFINITY,
    kinds: [],
    operatorIds: [],
    excludedOperatorIds: [],
    ...rest,
  };
}
