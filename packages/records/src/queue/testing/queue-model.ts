/** A size class of the model: the edge of the largest cube that fits, and the number of places. */
export interface ModelClass {
  id: string;
  edgeMm: number;
  installed: number;
}

/** A reservation of the model. */
export interface ModelReservation {
  number: number;
  edgeMm: number;
  siteIds: readonly string[];
  state: "waits" | "held" | "over";
  /** The site at which it is held. */
  siteId: string;
  classId: string;
}

/** A model in memory of sites with places for cubes, and their queues: first come first served among those that fit, into the smallest fitting place. */
export class QueueModel {
  readonly sites = new Map<string, ModelClass[]>();
  /** In the order of their requests. */
  readonly reservations: ModelReservation[] = [];

  free(siteId: string, classId: string): number {
    const installed = this.#classes(siteId).find(({ id }) => id === classId)?.installed ?? 0;
    const held = this.reservations.filter((one) => one.state === "held" && one.siteId === siteId && one.classId === classId);
    return installed - held.length;
  }

  fitting(siteId: string, edgeMm: number): string[] {
    return this.#classes(siteId)
      .filter((one) => one.edgeMm >= edgeMm)
      .sort((a, b) => a.edgeMm - b.edgeMm)
      .map(({ id }) => id);
  }

  reserve(number: number, siteIds: readonly string[], edgeMm: number): ModelReservation {
    const reservation: ModelReservation = { number, edgeMm, siteIds, state: "waits", siteId: siteIds[0] ?? "", classId: "" };
    this.reservations.push(reservation);
    for (const siteId of siteIds) if (this.#take(reservation, siteId)) break;
    return reservation;
  }

  end(reservation: ModelReservation): void {
    const { state, siteId } = reservation;
    reservation.state = "over";
    if (state === "held") this.promote(siteId);
  }

  /** The number of reservations before it in the queue for the same places of its first site. */
  position(reservation: ModelReservation): number {
    const [siteId = ""] = reservation.siteIds;
    const wanted = this.fitting(siteId, reservation.edgeMm);
    const before = this.reservations.slice(0, this.reservations.indexOf(reservation));
    const rivals = before.filter(({ state, siteIds, edgeMm }) => {
      return state === "waits" && siteIds.includes(siteId) && this.fitting(siteId, edgeMm).some((id) => wanted.includes(id));
    });
    return rivals.length;
  }

  promote(siteId: string): void {
    for (const one of this.reservations) {
      if (one.state === "waits" && one.siteIds.includes(siteId)) this.#take(one, siteId);
    }
  }

  #take(reservation: ModelReservation, siteId: string): boolean {
    const classId = this.fitting(siteId, reservation.edgeMm).find((id) => this.free(siteId, id) > 0);
    if (classId === undefined) return false;
    Object.assign(reservation, { state: "held", siteId, classId });
    return true;
  }

  #classes(siteId: string): ModelClass[] {
    return this.sites.get(siteId) ?? [];
  }
}
