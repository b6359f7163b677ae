import { greatCircleM } from "@petak/protocol/geo";
import type { End, Observation } from "../observe/observation.ts";
import type { Life } from "./life.ts";
import type { CitySites } from "./sites.ts";

/** The intentions that have begun and not ended. */
export interface Lives {
  readonly open: ReadonlySet<Life>;
  /** Those that have ended while their parcel is inside. */
  readonly inside: ReadonlySet<Life>;
  /** Whether something may still happen that does not depend on the gateway's clock alone. */
  readonly areAllResting: boolean;
  begin(life: Life): void;
  /** A reservation's intention. */
  of(reservationId: string): Life | undefined;
  /** The reservation is the intention's from now on. */
  reserved(life: Life, reservationId: string, siteId: string): void;
  /** Nothing is planned for it any more, or something is again. */
  rest(life: Life, isResting: boolean): void;
  /** The parcel of an intention that has ended is out. */
  taken(life: Life): void;
  /** Ends an intention, once. */
  end(life: Life, end: End, about?: { reason?: string; stayMs?: number }): void;
}

export function createLives(options: {
  observe: (observation: Observation) => void;
  nowMs: () => number;
  sites: Pick<CitySites, "positionOf">;
  /** Called with each reservation that an intention gets. */
  onReserved: (life: Life, reservationId: string) => void;
}): Lives {
  const { observe, nowMs, sites, onReserved } = options;
  const open = new Set<Life>();
  const inside = new Set<Life>();
  const byReservation = new Map<string, Life>();
  let resting = 0;

  function rest(life: Life, isResting: boolean): void {
    if (life.isResting === isResting) return;
    life.isResting = isResting;
    resting += isResting ? 1 : -1;
  }

  return {
    open,
    inside,
    taken: (life) => void inside.delete(life),
    get areAllResting() {
      return resting === open.size;
    },
    begin: (life) => void open.add(life),
    of: (reservationId) => byReservation.get(reservationId),
    reserved(life, reservationId, siteId) {
      if (life.reservationId !== undefined) byReservation.delete(life.reservationId);
      life.reservationId = reservationId;
      life.siteId = siteId;
      byReservation.set(reservationId, life);
      onReserved(life, reservationId);
    },
    rest,
    end(life, end, about = {}) {
      if (!open.delete(life)) return;
      rest(life, false);
      if (life.phase === "inside" && end !== "collected" && end !== "recalled") inside.add(life);
      life.phase = "over";
      const { intention, reservationId, siteId, wantedSiteId, askedAtMs, waitedMs } = life;
      if (reservationId !== undefined) byReservation.delete(reservationId);
      const { id, latitude, longitude } = intention;
      const position = siteId === undefined ? undefined : sites.positionOf(siteId);
      observe({
        kind: "ended",
        intention: id,
        atMs: nowMs(),
        end,
        ...about,
        latitude,
        longitude,
        askedAtMs,
        ...(reservationId !== undefined && { reservationId }),
        ...(siteId !== undefined && { siteId }),
        ...(position !== undefined && { distanceM: greatCircleM({ latitude, longitude }, position) }),
        isRedirected: siteId !== undefined && wantedSiteId !== undefined && siteId !== wantedSiteId,
        ...(waitedMs !== undefined && { waitedMs }),
      });
    },
  };
}
