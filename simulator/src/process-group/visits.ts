import type { City } from "../actors/city.ts";
import type { Courier } from "../actors/courier.ts";
import type { Visited, Visitor } from "../actors/life.ts";
import { visitHere } from "../actors/visit.ts";
import { memberOf, type ProcessGroup, type VisitMade, type VisitOrder } from "./process-group.ts";

/** Hands on the visits to doors that another member has. */
export function visitsElsewhere(group: ProcessGroup): NonNullable<City["visitElsewhere"]> {
  return (life, act) => {
    const owner = memberOf(group, life.siteId ?? "");
    return owner === group.member ? undefined : handOn(group, owner, life, act);
  };
}

async function handOn(group: ProcessGroup, owner: number, life: Visitor, act: VisitOrder["act"]): Promise<Visited> {
  const { intention, courier, reservationId, siteId, shown, isFreed } = life;
  const { participantId } = courier;
  const made = await group.visit(owner, { act, intention, participantId, reservationId, siteId, shown, isFreed });
  life.isFreed ||= made.isFreed;
  return made.visited;
}

/** Makes the visits to the own doors that other members ask for. */
export function serveVisits(group: ProcessGroup, city: City, couriers: readonly Courier[]): void {
  group.serve(async ({ act, participantId, ...about }): Promise<VisitMade> => {
    const courier = couriers.find((one) => one.participantId === participantId) as Courier;
    const visitor: Visitor = { ...about, courier };
    try {
      return { visited: await visitHere(city, visitor, act), isFreed: visitor.isFreed };
    } catch (error) {
      if (!city.signal.aborted) throw error;
      return { visited: { opened: false, refusal: "RUN_OVER" }, isFreed: visitor.isFreed };
    }
  });
}
