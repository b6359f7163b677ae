import { Act, DeviceEventType, DoubtOutcome, type Reason, ReservationState as State } from "@petak/protocol";

/** Who acts: the courier that reserves, another courier, the operator of the sites, and another operator. */
export type Actor = "courier" | "stranger" | "operator" | "rival";

/** What is known of a reservation in the model. Times in ms. */
export interface ModelReservation {
  readonly id: number;
  state: State;
  site: number;
  createdMs: number;
  /** Its rank among those that wait: where it stands in the order in which they came. */
  rank: number;
  queuedUntilMs: number | undefined;
  /** Whether it has or had a place: nothing that a site reports can be about one that had none. */
  hadPlace: boolean;
  holdUntilMs: number | undefined;
  depositUntilMs: number | undefined;
  collectUntilMs: number | undefined;
  depositedMs: number | undefined;
  /** The bundle that its record names. */
  bundle: ModelBundle | undefined;
  /** How often its collection was delegated. */
  delegations: number;
}

/** A bundle in the model. */
export interface ModelBundle {
  readonly id: number;
  readonly site: number;
  members: ModelReservation[];
}

/** How far limits go, in ms. */
export interface ModelLimits {
  holdDefaultMs: number;
  holdMaxMs: number;
  waitMaxMs: number;
  depositAheadMaxMs: number;
  collectWithinMs: number;
  storageMaxMs: number;
  /** How long the clock waits for a deposit that has begun. */
  depositUnderWayMs: number;
}

/** What came of an action: the reservation that it was about or made, or why it was refused. */
export type ModelOutcome = { reservation: ModelReservation } | { refused: Reason };

const couriers: readonly Actor[] = ["courier", "stranger"];
const beforeDeposit: readonly State[] = [State.QUEUED, State.HELD, State.CONFIRMED];
const leaving: ReadonlySet<DeviceEventType> = new Set([DeviceEventType.PARCEL_COLLECTED, DeviceEventType.PARCEL_RECALLED]);
const joining: readonly State[] = [State.HELD, State.CONFIRMED, State.DEPOSITED];
const final: readonly State[] = [State.REJECTED, State.EXPIRED, State.CANCELLED, State.NO_SHOW, State.COLLECTED, State.RECALLED];
/** So many credentials can be delegated for one reservation. */
const delegationsMax = 10;
const over: readonly State[] = [State.EXPIRED, State.CANCELLED, State.NO_SHOW];

/**
 * The life of reservations as the protocol's documentation tells it, in memory and without anything that could fail: what the gateway is compared
 * with. It knows nothing of the table of moves.
 */
export class LifeModel {
  readonly reservations: ModelReservation[] = [];
  readonly bundles: ModelBundle[] = [];
  readonly held: number[];
  readonly occupied: number[];
  readonly #installed: readonly number[];
  readonly #limits: ModelLimits;

  constructor(installed: readonly number[], limits: ModelLimits) {
    this.#installed = installed;
    this.#limits = limits;
    this.held = installed.map(() => 0);
    this.occupied = installed.map(() => 0);
  }

  free(site: number): number {
    return Math.max(0, (this.#installed[site] ?? 0) - (this.held[site] ?? 0) - (this.occupied[site] ?? 0));
  }

  /** How many that wait at its site came before a reservation; 0 where it does not wait. */
  position({ state, site, rank }: ModelReservation): number {
    if (state !== State.QUEUED) return 0;
    return this.#waitingAt(site).filter((other) => other.rank < rank).length;
  }

  /** Until when it waits where nothing is free; undefined: it does not. */
  reserve(by: Actor, site: number, nowMs: number, queuedUntilMs?: number, rank = this.reservations.length): ModelOutcome {
    if (!couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    const isFree = this.free(site) > 0;
    if (!isFree && queuedUntilMs === undefined) return { refused: "NO_PLACE_FREE" };
    const reservation: ModelReservation = {
      id: this.reservations.length,
      state: isFree ? State.HELD : State.QUEUED,
      site,
      createdMs: nowMs,
      rank,
      queuedUntilMs: isFree ? undefined : queuedUntilMs,
      hadPlace: isFree,
      holdUntilMs: isFree ? nowMs + this.#limits.holdDefaultMs : undefined,
      depositUntilMs: undefined,
      collectUntilMs: undefined,
      depositedMs: undefined,
      bundle: undefined,
      delegations: 0,
    };
    this.reservations.push(reservation);
    if (isFree) this.#count(this.held, site, 1);
    return { reservation };
  }

  confirm(by: Actor, reservation: ModelReservation, withinMs: number, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    if (reservation.state !== State.HELD) return { refused: "ILLEGAL_STATE" };
    reservation.state = State.CONFIRMED;
    reservation.depositUntilMs = nowMs + withinMs;
    return { reservation };
  }

  extend(by: Actor, reservation: ModelReservation, untilMs: number, nowMs: number): ModelOutcome {
    if (by !== "courier" && by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    const { state } = reservation;
    const { waitMaxMs, holdMaxMs, depositAheadMaxMs, storageMaxMs } = this.#limits;
    if (state !== State.DEPOSITED && (by === "operator" || !beforeDeposit.includes(state))) return { refused: "ILLEGAL_STATE" };
    const [limitMs = 0, mostMs] =
      state === State.QUEUED
        ? [reservation.queuedUntilMs, reservation.createdMs + waitMaxMs]
        : state === State.HELD
          ? [reservation.holdUntilMs, reservation.createdMs + holdMaxMs]
          : state === State.CONFIRMED
            ? [reservation.depositUntilMs, nowMs + depositAheadMaxMs]
            : [reservation.collectUntilMs, (reservation.depositedMs ?? 0) + storageMaxMs];
    const afterMs = Math.max(limitMs, nowMs);
    if (untilMs <= afterMs) return { refused: "INVALID_FIELD" };
    const newMs = Math.min(untilMs, mostMs);
    if (newMs <= afterMs) return { refused: "EXTENSION_EXHAUSTED" };
    if (state === State.QUEUED) reservation.queuedUntilMs = newMs;
    else if (state === State.HELD) reservation.holdUntilMs = newMs;
    else if (state === State.CONFIRMED) reservation.depositUntilMs = newMs;
    else reservation.collectUntilMs = newMs;
    return { reservation };
  }

  cancel(by: Actor, reservation: ModelReservation, nowMs: number): ModelOutcome {
    if (by !== "courier" && by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    if (!beforeDeposit.includes(reservation.state)) return { refused: "ILLEGAL_STATE" };
    const { state, site } = reservation;
    reservation.state = State.CANCELLED;
    if (state !== State.QUEUED) this.#count(this.held, site, -1);
    this.#promote(site, nowMs);
    return { reservation };
  }

  /** Gives the new reservation. */
  redirect(by: Actor, old: ModelReservation, site: number, nowMs: number): ModelOutcome {
    if (!couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    if (!beforeDeposit.includes(old.state)) return { refused: "ILLEGAL_STATE" };
    if (old.site === site) return { refused: "INVALID_FIELD" };
    // What waits goes on waiting there, with its rank.
    const taken = old.state === State.QUEUED ? this.reserve(by, site, nowMs, old.queuedUntilMs, old.rank) : this.reserve(by, site, nowMs);
    if ("refused" in taken) return taken;
    if (old.state === State.CONFIRMED) {
      taken.reservation.state = State.CONFIRMED;
      taken.reservation.depositUntilMs = old.depositUntilMs;
    }
    this.cancel(by, old, nowMs);
    return taken;
  }

  resolve(by: Actor, reservation: ModelReservation, outcome: DoubtOutcome, nowMs: number): ModelOutcome {
    if (couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    if (reservation.state !== State.IN_DOUBT) return { refused: "ILLEGAL_STATE" };
    if (outcome === DoubtOutcome.COLLECTED) reservation.state = State.COLLECTED;
    else reservation.state = outcome === DoubtOutcome.RECALLED ? State.RECALLED : State.NO_SHOW;
    this.#count(this.occupied, reservation.site, -1);
    this.#promote(reservation.site, nowMs);
    return { reservation };
  }

  issue(by: Actor, reservation: ModelReservation, act: Act, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    const { state, depositUntilMs = 0, collectUntilMs = 0 } = reservation;
    // A credential counts in whole seconds.
    const lastMs = nowMs - (nowMs % 1000) + 999;
    if (act === Act.RECALL) return state === State.DEPOSITED ? { reservation } : { refused: "ILLEGAL_STATE" };
    const isServed =
      (state === State.CONFIRMED && depositUntilMs > lastMs) ||
      (act === Act.COLLECT && state === State.DEPOSITED && collectUntilMs > lastMs);
    return isServed ? { reservation } : { refused: "ILLEGAL_STATE" };
  }

  /** Lets somebody else collect, with a credential that was issued for that. */
  delegate(by: Actor, reservation: ModelReservation, nowMs: number): ModelOutcome {
    const issued = this.issue(by, reservation, Act.COLLECT, nowMs);
    if ("refused" in issued) return issued;
    if (reservation.delegations >= delegationsMax) return { refused: "CREDENTIALS_EXHAUSTED" };
    reservation.delegations += 1;
    return { reservation };
  }

  /** Says which reservations belong to a bundle, or to a new one. Others in it leave, but for those that are over. */
  putBundle(by: Actor, members: readonly ModelReservation[], bundle: ModelBundle | undefined): ModelOutcome {
    if (by !== "courier") return { refused: bundle === undefined ? "RESERVATION_NOT_FOUND" : "BUNDLE_NOT_FOUND" };
    const site = bundle?.site ?? members[0]?.site ?? 0;
    for (const member of members) {
      if (member.site !== site) return { refused: "BUNDLE_MISMATCH" };
      if (bundle !== undefined && member.bundle === bundle) continue;
      if (member.bundle !== undefined && !final.includes(member.state)) return { refused: "BUNDLE_MISMATCH" };
      if (!joining.includes(member.state)) return { refused: "ILLEGAL_STATE" };
    }
    const put = bundle ?? { id: this.bundles.length, site, members: [] };
    if (bundle === undefined) this.bundles.push(put);
    for (const left of put.members) {
      if (!members.includes(left) && left.bundle === put && !final.includes(left.state)) left.bundle = undefined;
    }
    for (const member of members) member.bundle = put;
    put.members = [...members];
    return { reservation: members[0] as ModelReservation };
  }

  /** A credential for all of a bundle that can be collected. */
  issueBundle(by: Actor, bundle: ModelBundle, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "BUNDLE_NOT_FOUND" };
    const own = bundle.members.filter((member) => member.bundle === bundle);
    const [reservation] = own.filter((member) => !("refused" in this.issue(by, member, Act.COLLECT, nowMs)));
    return reservation === undefined ? { refused: "ILLEGAL_STATE" } : { reservation };
  }

  /** What an agent reports has happened, and is never refused. */
  report(reservation: ModelReservation, type: DeviceEventType, occurredMs: number, nowMs: number): ModelOutcome {
    const { state, site, hadPlace, depositUntilMs = 0 } = reservation;
    if (!hadPlace) return { reservation };
    const isExpected = state === State.CONFIRMED || state === State.DEPOSITED;
    const isLate = state === State.NO_SHOW && occurredMs < depositUntilMs;
    if (type === DeviceEventType.DOOR_OPENED) {
      // For a deposit, which must not be interrupted by the clock.
      if (state === State.CONFIRMED) reservation.depositUntilMs = Math.max(depositUntilMs, nowMs + this.#limits.depositUnderWayMs);
    } else if (type === DeviceEventType.PARCEL_DEPOSITED && (state === State.CONFIRMED || isLate)) {
      reservation.state = State.DEPOSITED;
      reservation.depositedMs = occurredMs;
      reservation.collectUntilMs = nowMs + this.#limits.collectWithinMs;
      if (state === State.CONFIRMED) this.#count(this.held, site, -1);
      this.#count(this.occupied, site, 1);
    } else if (leaving.has(type) && (state === State.DEPOSITED || state === State.IN_DOUBT)) {
      reservation.state = type === DeviceEventType.PARCEL_RECALLED ? State.RECALLED : State.COLLECTED;
      this.#count(this.occupied, site, -1);
    } else if (state === State.HELD || over.includes(state) || (isExpected && type !== DeviceEventType.PARCEL_DEPOSITED)) {
      // The door and the record disagree, and there may be a parcel.
      reservation.state = State.IN_DOUBT;
      if (state !== State.DEPOSITED) this.#count(this.occupied, site, 1);
      if (state === State.HELD || state === State.CONFIRMED) this.#count(this.held, site, -1);
    }
    this.#promote(site, nowMs);
    return { reservation };
  }

  /** What the clock ends. */
  pass(nowMs: number): void {
    for (const reservation of this.reservations) {
      if (reservation.state === State.QUEUED && (reservation.queuedUntilMs ?? 0) <= nowMs) reservation.state = State.REJECTED;
    }
    for (const reservation of this.reservations) {
      const { state, holdUntilMs = 0, depositUntilMs = 0, site } = reservation;
      if (state === State.HELD && holdUntilMs <= nowMs) reservation.state = State.EXPIRED;
      else if (state === State.CONFIRMED && depositUntilMs <= nowMs) reservation.state = State.NO_SHOW;
      else continue;
      this.#count(this.held, site, -1);
    }
    for (const site of this.#installed.keys()) this.#promote(site, nowMs);
  }

  #waitingAt(site: number): ModelReservation[] {
    return this.reservations.filter((one) => one.state === State.QUEUED && one.site === site).sort((a, b) => a.rank - b.rank);
  }

  /** Whoever has waited longest gets what is free. */
  #promote(site: number, nowMs: number): void {
    for (const first of this.#waitingAt(site)) {
      if (this.free(site) === 0) return;
      first.state = State.HELD;
      first.hadPlace = true;
      first.holdUntilMs = nowMs + this.#limits.holdDefaultMs;
      this.#count(this.held, site, 1);
    }
  }

  #count(counts: number[], site: number, change: number): void {
    counts[site] = (counts[site] ?? 0) + change;
  }
}
