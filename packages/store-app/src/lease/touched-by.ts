import { Direction, EntryRefusal, type EntryResult } from "@petak/protocol/counter";

/** The places of the shelf at which the agent has begun something by an entry. */
export function touchedBy(result: EntryResult | undefined): string[] {
  if (result === undefined || result.refusal !== EntryRefusal.UNSPECIFIED) return [];
  const { handOver, delivery } = result;
  const outgoing = delivery?.direction === Direction.OUT ? delivery.parcels : [];
  return [...(handOver === undefined ? [] : [handOver]), ...outgoing].map(({ shelfPlace }) => shelfPlace).filter(Boolean);
}
