import { create } from "@bufbuild/protobuf";
import { type HoldLimits, type Limit, type LimitKind, LimitSchema, type ModeName, type Region } from "@petak/protocol";

/** Whose limits are asked for, and where. */
export interface LimitScope {
  readonly participantId: string;
  readonly mode: ModeName;
  /** The participant's own limits on unconfirmed holds. Undefined: those of the settings. */
  readonly holdLimits: HoldLimits | undefined;
  /** The region to report on. Undefined: none. */
  readonly region: Region | undefined;
  /** The site to report on, which exists in the network. Undefined: none. */
  readonly siteId: string | undefined;
}

/** Limits of one subject. GetLimits returns those of all sources. */
export type LimitSource = (scope: LimitScope) => readonly Limit[] | Promise<readonly Limit[]>;

/** Where a limit applies. Left out: everywhere. */
type Place = Partial<Pick<Limit, "region" | "siteId" | "sizeClassId" | "method">>;

/** A limit with what is used of it. */
export function usedLimit(kind: LimitKind, limit: number, used: number, place: Place = {}): Limit {
  return create(LimitSchema, { kind, limit: BigInt(limit), used: BigInt(used), left: BigInt(Math.max(0, limit - used)), ...place });
}

/** A limit on single calls or one moment, of which nothing is counted. */
export function callLimit(kind: LimitKind, limit: number, place: Place = {}): Limit {
  return create(LimitSchema, { kind, limit: BigInt(limit), ...place });
}
