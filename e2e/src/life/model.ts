import {
  Act,
  DeviceEventType,
  DoubtOutcome,
  LiveReservations,
  type Reason,
  SiteChangeKind,
  ReservationState as State,
} from "@petak/protocol";
import { delegateOf, type ModelCredential, type ModelRecord, newRecord, revokeOf } from "./model-credentials.ts";
import {
  asksOperator,
  changesOf,
  isInService,
  isSitesFault,
  keeps,
  type ModelSite,
  type ModelSiteChange,
  movedM,
  newSite,
} from "./model-sites.ts";
import { freeChangeUntil, type GivenTerms, type ModelTerms, storageFee, termsInForce } from "./model-terms.ts";

/** The actors: the courier that reserves, another courier, the operator of the sites, and another operator. */
export type Actor = "courier" | "stranger" | "operator" | "rival";

/** A link of a reservation's chain in the model. */
export interface ModelReceipt {
  /** The giver and the receiver of the parcel, as far as they can countersign. Empty: no hand-over. */
  readonly sides: readonly Actor[];
  readonly signedBy: Actor[];
}

/** A reservation in the model. Times in ms. */
export interface ModelReservation extends ModelRecord {
  readonly id: number;
  state: State;
  site: number;
  createdMs: number;
  /** Its rank in queues, by the order of arrival. */
  rank: number;
  queuedUntilMs: number | undefined;
  /** Whether it has or had a place. Reports of a site can only be about such a reservation. */
  hadPlace: boolean;
  holdUntilMs: number | undefined;
  depositUntilMs: number | undefined;
  collectUntilMs: number | undefined;
  depositedMs: number | undefined;
  /** Whether it was found to be overdue. It stays so when the parcel is collected after all. */
  isOverdue: boolean;
  /** The bundle that its record names. */
  bundle: ModelBundle | undefined;
  /** The bundles that it has left. */
  readonly left: Set<ModelBundle>;
  /** The terms on which it was made. */
  readonly terms: ModelTerms;
  freeChangeUntilMs: number | undefined;
  /** In cents. */
  feeDue: number;
  readonly receipts: ModelReceipt[];
  /** How many of its events were corrected. */
  corrections: number;
  /** What it was last told of its site. */
  siteChange: ModelSiteChange | undefined;
  /** How many of its events are about a change of its site. */
  siteEvents: number;
  /** Whether another one replaces it. */
  isRedirected: boolean;
}

/** A bundle in the model. */
export interface ModelBundle extends ModelRecord {
  readonly id: number;
  readonly site: number;
  members: ModelReservation[];
}

/** An agent's report. */
export interface ModelReport {
  type: DeviceEventType;
  /** The act of the credential shown. */
  act: Act;
  occurredMs: number;
  /** Whether the credential was issued for what it reports. */
  isProven: boolean;
}

/** The gateway's limits, in ms. */
export interface ModelLimits {
  holdDefaultMs: number;
  holdMaxMs: number;
  waitMaxMs: number;
  /** How long a deposit in progress postpones the deadline. */
  depositUnderWayMs: number;
  /** The terms where neither site nor operator sets them. */
  terms: ModelTerms;
}

/** The result of an action: the reservation concerned, or the reason of a refusal. */
export type ModelOutcome = { reservation: ModelReservation } | { refused: Reason };

const couriers: readonly Actor[] = ["courier", "stranger"];
const beforeDeposit: readonly State[] = [State.QUEUED, State.HELD, State.CONFIRMED];
const leaving: ReadonlySet<DeviceEventType> = new Set([DeviceEventType.PARCEL_COLLECTED, DeviceEventType.PARCEL_RECALLED]);
const joining: readonly State[] = [State.HELD, State.CONFIRMED, State.DEPOSITED];
/** States that only a report of a site can change. */
export const final: readonly State[] = [State.REJECTED, State.EXPIRED, State.CANCELLED, State.NO_SHOW, State.COLLECTED, State.RECALLED];
const revocable: readonly State[] = [State.CONFIRMED, State.DEPOSITED, State.IN_DOUBT];
/** The longest lifetime of a token, and that of a token to recall, in ms. */
const tokenMaxMs = 14 * 86_400_000;
const recallTokenMs = 86_400_000;
const over: readonly State[] = [State.EXPIRED, State.CANCELLED, State.NO_SHOW];

/**
 * The life of reservations as documented by the protocol, in memory and without failures, as the reference for the gateway. It does not use
 * the table of transitions.
 */
export class LifeModel {
  readonly reservations: ModelReservation[] = [];
  readonly bundles: ModelBundle[] = [];
  readonly held: number[];
  readonly occupied: number[];
  readonly sites: ModelSite[];
  /** The operator's default terms. */
  defaults: GivenTerms;
  readonly #installed: readonly number[];
  readonly #siteTerms: readonly GivenTerms[];
  readonly #limits: ModelLimits;

  constructor(installed: readonly number[], siteTerms: readonly GivenTerms[], defaults: GivenTerms, limits: ModelLimits) {
    this.#installed = installed;
    this.#siteTerms = siteTerms;
    this.defaults = defaults;
    this.#limits = limits;
    this.held = installed.map(() => 0);
    this.occupied = installed.map(() => 0);
    this.sites = installed.map(() => newSite);
  }

  free(site: number): number {
    return Math.max(0, (this.#installed[site] ?? 0) - (this.held[site] ?? 0) - (this.occupied[site] ?? 0));
  }

  site(site: number): ModelSite {
    return this.sites[site] as ModelSite;
  }

  /** The number of reservations ahead of it in its site's queue; undefined if it does not wait. */
  position({ state, site, rank }: ModelReservation): number | undefined {
    if (state !== State.QUEUED) return undefined;
    return this.#waitingAt(site).filter((other) => other.rank < rank).length;
  }

  /** Reserves at the first of some sites that is in service and has a free place. @param isNamed whether the request names the first */
  reserveAtFirst(by: Actor, sites: readonly number[], isNamed: boolean, nowMs: number): ModelOutcome {
    const [first = 0] = sites;
    if (isNamed && !isInService(this.site(first))) return this.reserve(by, first, nowMs);
    const free = sites.find((site) => isInService(this.site(site)) && this.free(site) > 0);
    if (free === undefined && couriers.includes(by)) return { refused: "NO_PLACE_FREE" };
    return this.reserve(by, free ?? first, nowMs);
  }

  /** `queuedUntilMs` is the end of the wait if no place is free; undefined: it does not wait. */
  reserve(by: Actor, site: number, nowMs: number, queuedUntilMs?: number, rank = this.reservations.length): ModelOutcome {
    if (!couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (!isInService(this.site(site))) return { refused: "SITE_NOT_ACCEPTING" };
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
      isOverdue: false,
      bundle: undefined,
      left: new Set(),
      terms: termsInForce(this.#limits.terms, this.defaults, this.#siteTerms[site] ?? {}),
      freeChangeUntilMs: undefined,
      feeDue: 0,
      receipts: [],
      corrections: 0,
      siteChange: undefined,
      siteEvents: 0,
      isRedirected: false,
      ...newRecord(),
    };
    this.reservations.push(reservation);
    if (isFree) this.#count(this.held, site, 1);
    return { reservation };
  }

  confirm(by: Actor, reservation: ModelReservation, withinMs: number, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    if (reservation.state !== State.HELD) return { refused: "ILLEGAL_STATE" };
    if (!keeps(this.site(reservation.site))) return { refused: "SITE_OUT_OF_SERVICE" };
    this.#confirm(reservation, nowMs + withinMs, nowMs);
    return { reservation };
  }

  extend(by: Actor, reservation: ModelReservation, untilMs: number, nowMs: number): ModelOutcome {
    if (by !== "courier" && by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    const { state } = reservation;
    const { waitMaxMs, holdMaxMs } = this.#limits;
    const { terms, depositedMs = 0, collectUntilMs = 0 } = reservation;
    if (state !== State.DEPOSITED && (by === "operator" || !beforeDeposit.includes(state))) return { refused: "ILLEGAL_STATE" };
    const [limitMs = 0, mostMs] =
      state === State.QUEUED
        ? [reservation.queuedUntilMs, reservation.createdMs + waitMaxMs]
        : state === State.HELD
          ? [reservation.holdUntilMs, reservation.createdMs + holdMaxMs]
          : state === State.CONFIRMED
            ? [reservation.depositUntilMs, nowMs + terms.noShowAfterMs]
            : [collectUntilMs, depositedMs + terms.longestStorageMs];
    const afterMs = Math.max(limitMs, nowMs);
    if (untilMs <= afterMs) return { refused: "INVALID_FIELD" };
    const newMs = Math.min(untilMs, mostMs);
    if (newMs <= afterMs) return { refused: "EXTENSION_EXHAUSTED" };
    if (state === State.QUEUED) reservation.queuedUntilMs = newMs;
    else if (state === State.HELD) reservation.holdUntilMs = newMs;
    else if (state === State.CONFIRMED) reservation.depositUntilMs = newMs;
    else {
      reservation.collectUntilMs = newMs;
      reservation.isOverdue = false;
      if (by === "courier") reservation.feeDue += storageFee(terms, depositedMs, collectUntilMs, newMs);
    }
    return { reservation };
  }

  cancel(by: Actor, reservation: ModelReservation, nowMs: number): ModelOutcome {
    if (by !== "courier" && by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    if (!beforeDeposit.includes(reservation.state)) return { refused: "ILLEGAL_STATE" };
    const { state, site, freeChangeUntilMs, terms } = reservation;
    reservation.state = State.CANCELLED;
    const isLate = state === State.CONFIRMED && freeChangeUntilMs !== undefined && freeChangeUntilMs < nowMs;
    const isSites = !isInService(this.site(site)) || isSitesFault(reservation.siteChange);
    if (isLate && by === "courier" && !isSites) reservation.feeDue = terms.lateFee;
    if (state !== State.QUEUED) this.#count(this.held, site, -1);
    this.#promote(site, nowMs);
    return { reservation };
  }

  /** Returns the new reservation. */
  redirect(by: Actor, old: ModelReservation, site: number, nowMs: number): ModelOutcome {
    if (!couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    const wasCancelled = isCancelledWithSite(old);
    if (!beforeDeposit.includes(old.state) && !wasCancelled) return { refused: "ILLEGAL_STATE" };
    if (old.site === site) return { refused: "INVALID_FIELD" };
    // A waiting reservation continues to wait there, with its rank.
    const taken = old.state === State.QUEUED ? this.reserve(by, site, nowMs, old.queuedUntilMs, old.rank) : this.reserve(by, site, nowMs);
    if ("refused" in taken) return taken;
    old.isRedirected = true;
    if (old.state === State.CONFIRMED) this.#confirm(taken.reservation, old.depositUntilMs ?? 0, nowMs);
    if (wasCancelled) old.siteEvents += 1;
    else this.cancel(by, old, nowMs);
    return taken;
  }

  resolve(by: Actor, reservation: ModelReservation, outcome: DoubtOutcome, nowMs: number): ModelOutcome {
    if (couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    if (reservation.state !== State.IN_DOUBT) return { refused: "ILLEGAL_STATE" };
    if (outcome === DoubtOutcome.COLLECTED) this.#left(reservation, State.COLLECTED);
    else if (outcome === DoubtOutcome.RECALLED) this.#left(reservation, State.RECALLED);
    else {
      // The operator does not decide whether a no-show has a fee.
      reservation.state = State.NO_SHOW;
      reservation.receipts.push({ sides: [], signedBy: [] });
    }
    this.#count(this.occupied, reservation.site, -1);
    this.#promote(reservation.site, nowMs);
    return { reservation };
  }

  issue(by: Actor, reservation: ModelReservation, act: Act, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    const expiresMs = this.#lastMoment(reservation, act, nowMs);
    if (expiresMs === undefined) return { refused: "ILLEGAL_STATE" };
    if (act === Act.DEPOSIT && !keeps(this.site(reservation.site))) return { refused: "SITE_OUT_OF_SERVICE" };
    const issued = { act, expiresMs: Math.min(expiresMs, nowMs + tokenMaxMs) };
    // Credentials bound to the same key differ by their times alone: of those issued within one second, one opens.
    const same =
      act === Act.RECALL
        ? reservation.issued.find((one) => one.act === act && one.expiresMs === issued.expiresMs && !reservation.ended.has(one))
        : undefined;
    reservation.issued.push(same ?? issued);
    return { reservation };
  }

  /** Delegates a reservation's credential to somebody else. */
  delegate(by: Actor, reservation: ModelReservation, parent: ModelCredential, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    if (this.#lastMoment(reservation, Act.COLLECT, nowMs) === undefined) return { refused: "ILLEGAL_STATE" };
    return outcomeOf(delegateOf(reservation, parent, nowMs), reservation);
  }

  /** Delegates a bundle's credential. */
  delegateBundle(by: Actor, bundle: ModelBundle, parent: ModelCredential, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "BUNDLE_NOT_FOUND" };
    const [first] = this.#collectable(bundle, nowMs);
    if (first === undefined) return { refused: "ILLEGAL_STATE" };
    return outcomeOf(delegateOf(bundle, parent, nowMs), first);
  }

  /** Revokes a credential of a reservation. */
  revoke(by: Actor, reservation: ModelReservation, credential: ModelCredential, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "RESERVATION_NOT_FOUND" };
    if (!revocable.includes(reservation.state)) return { refused: "ILLEGAL_STATE" };
    return outcomeOf(revokeOf(reservation, credential, nowMs), reservation);
  }

  /** Revokes a credential of a bundle, in any state of its members. */
  revokeOfBundle(by: Actor, bundle: ModelBundle, credential: ModelCredential, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "BUNDLE_NOT_FOUND" };
    return outcomeOf(revokeOf(bundle, credential, nowMs), bundle.members[0] as ModelReservation);
  }

  /** Corrects an event that exists or does not. */
  correct(by: Actor, reservation: ModelReservation, isThere: boolean): ModelOutcome {
    if (couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    if (!isThere) return { refused: "EVENT_NOT_FOUND" };
    reservation.corrections += 1;
    return { reservation };
  }

  /** Countersigns the receipt with a number. */
  countersign(by: Actor, reservation: ModelReservation, number: number): ModelOutcome {
    if (by !== "courier" && by !== "operator") return { refused: "RESERVATION_NOT_FOUND" };
    const receipt = reservation.receipts[number - 1];
    if (receipt === undefined) return { refused: "RECEIPT_NOT_FOUND" };
    if (!receipt.sides.includes(by)) return { refused: "NOT_PARTY_TO_HAND_OVER" };
    if (receipt.signedBy.includes(by)) return { refused: "ALREADY_COUNTERSIGNED" };
    receipt.signedBy.push(by);
    reservation.receipts.push({ sides: [], signedBy: [] });
    return { reservation };
  }

  /** Sets the default terms of the operator's sites. */
  setDefaults(by: Actor, terms: GivenTerms): ModelOutcome | { done: true } {
    if (couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by === "operator") this.defaults = terms;
    return { done: true };
  }

  /** Changes the facts of a site, and tells its reservations. @param live what becomes of them */
  changeSite(by: Actor, site: number, after: ModelSite, live: LiveReservations, nowMs: number): ModelOutcome | { done: true } {
    if (couriers.includes(by)) return { refused: "ROLE_REQUIRED" };
    if (by !== "operator") return { refused: "SITE_NOT_FOUND" };
    const before = this.site(site);
    const isLive = (this.held[site] ?? 0) + (this.occupied[site] ?? 0) + this.#waitingAt(site).length > 0;
    if (isLive && live === LiveReservations.REFUSE && asksOperator(before, after)) return { refused: "SITE_IN_USE" };
    this.sites[site] = after;
    this.#promote(site, nowMs);
    const kinds = changesOf(before, after);
    if (kinds.length === 0) return { done: true };
    for (const reservation of this.reservations) {
      if (reservation.site === site) this.#tell(reservation, { kinds, movedM: movedM(before, after) }, live);
    }
    return { done: true };
  }

  /** Tells a reservation that its site has changed, or cancels it with the site. */
  #tell(reservation: ModelReservation, { kinds, movedM: byM }: Pick<ModelSiteChange, "kinds" | "movedM">, live: LiveReservations): void {
    const { state, site, siteChange: told } = reservation;
    if (!beforeDeposit.includes(state) && state !== State.DEPOSITED) return;
    const cancelled = live === LiveReservations.CANCEL && state !== State.DEPOSITED;
    const takesIt = state === State.QUEUED ? isInService(this.site(site)) : keeps(this.site(site));
    const canBeKept = !cancelled && (state === State.DEPOSITED || takesIt);
    // Who only waits hears when it makes a difference.
    const isSame = (told?.canBeKept ?? true) === canBeKept && !kinds.includes(SiteChangeKind.MOVED);
    if (state === State.QUEUED && !cancelled && isSame) return;
    reservation.siteChange = { kinds, movedM: (told?.movedM ?? 0) + byM, canBeKept, cancelled, number: (told?.number ?? 0) + 1 };
    reservation.siteEvents += 1;
    if (!cancelled) return;
    reservation.state = State.CANCELLED;
    if (state !== State.QUEUED) this.#count(this.held, site, -1);
  }

  /** Sets the members of a new or existing bundle. Members that are left out leave it, except those that have ended. */
  putBundle(by: Actor, members: readonly ModelReservation[], bundle: ModelBundle | undefined): ModelOutcome {
    if (by !== "courier") return { refused: bundle === undefined ? "RESERVATION_NOT_FOUND" : "BUNDLE_NOT_FOUND" };
    const site = bundle?.site ?? members[0]?.site ?? 0;
    for (const member of members) {
      if (member.site !== site) return { refused: "BUNDLE_MISMATCH" };
      if (bundle !== undefined && member.bundle === bundle) continue;
      if (member.bundle !== undefined && !final.includes(member.state)) return { refused: "BUNDLE_MISMATCH" };
      if (!joining.includes(member.state)) return { refused: "ILLEGAL_STATE" };
    }
    const put = bundle ?? { id: this.bundles.length, site, members: [], ...newRecord() };
    if (bundle === undefined) this.bundles.push(put);
    for (const left of put.members) {
      if (!members.includes(left) && left.bundle === put && !final.includes(left.state)) {
        left.bundle = undefined;
        left.left.add(put);
      }
    }
    for (const member of members) member.bundle = put;
    put.members = [...members];
    return { reservation: members[0] as ModelReservation };
  }

  /** Issues a credential for all members of a bundle that can be collected. */
  issueBundle(by: Actor, bundle: ModelBundle, nowMs: number): ModelOutcome {
    if (by !== "courier") return { refused: "BUNDLE_NOT_FOUND" };
    const collectable = this.#collectable(bundle, nowMs);
    const [reservation] = collectable;
    if (reservation === undefined) return { refused: "ILLEGAL_STATE" };
    const lastMs = Math.max(...collectable.map((member) => this.#lastMoment(member, Act.COLLECT, nowMs) ?? 0));
    bundle.issued.push({ act: Act.COLLECT, expiresMs: Math.min(lastMs, nowMs + tokenMaxMs) });
    return { reservation };
  }

  /** Applies an agent's report, which is never refused. */
  report(reservation: ModelReservation, { type, act, occurredMs, isProven }: ModelReport, nowMs: number): ModelOutcome {
    const isMove = type === DeviceEventType.PARCEL_DEPOSITED || leaving.has(type);
    const isInvented = isMove && !isProven;
    const { state, site, hadPlace, depositUntilMs = 0, terms } = reservation;
    if (!hadPlace) return { reservation };
    const isExpected = state === State.CONFIRMED || state === State.DEPOSITED;
    const isLate = state === State.NO_SHOW && occurredMs < depositUntilMs;
    if (type === DeviceEventType.DOOR_OPENED) {
      // A deposit has started, and its deadline must not interrupt it.
      if (state === State.CONFIRMED && act === Act.DEPOSIT && isProven) {
        reservation.depositUntilMs = Math.max(depositUntilMs, nowMs + this.#limits.depositUnderWayMs);
      }
    } else if (type === DeviceEventType.PARCEL_DEPOSITED && !isInvented && (state === State.CONFIRMED || isLate)) {
      reservation.state = State.DEPOSITED;
      reservation.depositedMs = occurredMs;
      reservation.collectUntilMs = nowMs + terms.freeStorageMs;
      // The depositor came after all.
      reservation.feeDue = 0;
      reservation.receipts.push({ sides: ["courier", "operator"], signedBy: [] });
      if (state === State.CONFIRMED) this.#count(this.held, site, -1);
      this.#count(this.occupied, site, 1);
    } else if (leaving.has(type) && !isInvented && (state === State.DEPOSITED || state === State.IN_DOUBT)) {
      this.#left(reservation, type === DeviceEventType.PARCEL_RECALLED ? State.RECALLED : State.COLLECTED);
      this.#count(this.occupied, site, -1);
    } else if (state === State.HELD || over.includes(state) || (isExpected && (isInvented || type !== DeviceEventType.PARCEL_DEPOSITED))) {
      // Door and record disagree, and there may be a parcel.
      reservation.state = State.IN_DOUBT;
      if (state !== State.DEPOSITED) this.#count(this.occupied, site, 1);
      if (state === State.HELD || state === State.CONFIRMED) this.#count(this.held, site, -1);
    }
    this.#promote(site, nowMs);
    return { reservation };
  }

  /** Applies the deadlines that have passed. */
  pass(nowMs: number): void {
    for (const reservation of this.reservations) {
      if (reservation.state === State.QUEUED && (reservation.queuedUntilMs ?? 0) <= nowMs) reservation.state = State.REJECTED;
    }
    for (const reservation of this.reservations) {
      const { state, holdUntilMs = 0, depositUntilMs = 0, collectUntilMs = 0, site } = reservation;
      if (state === State.DEPOSITED && collectUntilMs <= nowMs) reservation.isOverdue = true;
      if (state === State.HELD && holdUntilMs <= nowMs) reservation.state = State.EXPIRED;
      else if (state === State.CONFIRMED && depositUntilMs <= nowMs) {
        reservation.state = State.NO_SHOW;
        if (keeps(this.site(site)) && !isSitesFault(reservation.siteChange)) reservation.feeDue = reservation.terms.noShowFee;
      } else continue;
      this.#count(this.held, site, -1);
    }
    for (const site of this.#installed.keys()) this.#promote(site, nowMs);
  }

  #confirm(reservation: ModelReservation, untilMs: number, nowMs: number): void {
    const { terms } = reservation;
    reservation.state = State.CONFIRMED;
    reservation.depositUntilMs = Math.min(untilMs, nowMs + terms.noShowAfterMs);
    reservation.freeChangeUntilMs = freeChangeUntil(terms, nowMs, reservation.depositUntilMs);
    reservation.receipts.push({ sides: [], signedBy: [] });
  }

  /** The parcel has left. A consumer who collects is no participant and cannot countersign. */
  #left(reservation: ModelReservation, to: State): void {
    reservation.state = to;
    reservation.receipts.push({ sides: to === State.RECALLED ? ["operator", "courier"] : ["operator"], signedBy: [] });
  }

  /** The end of a credential for an act that is issued now, in ms; undefined if none is issued. */
  #lastMoment({ state, depositUntilMs = 0, collectUntilMs = 0, terms }: ModelReservation, act: Act, nowMs: number): number | undefined {
    // Credentials count in whole seconds.
    const lastMs = nowMs - (nowMs % 1000) + 999;
    if (act === Act.RECALL) return state === State.DEPOSITED ? nowMs + recallTokenMs : undefined;
    if (state === State.CONFIRMED && depositUntilMs > lastMs)
      return act === Act.DEPOSIT ? depositUntilMs : depositUntilMs + terms.freeStorageMs;
    return act === Act.COLLECT && state === State.DEPOSITED && collectUntilMs > lastMs ? collectUntilMs : undefined;
  }

  #collectable(bundle: ModelBundle, nowMs: number): ModelReservation[] {
    return bundle.members.filter((member) => member.bundle === bundle && this.#lastMoment(member, Act.COLLECT, nowMs) !== undefined);
  }

  #waitingAt(site: number): ModelReservation[] {
    return this.reservations.filter((one) => one.state === State.QUEUED && one.site === site).sort((a, b) => a.rank - b.rank);
  }

  /** Promotes the reservations that have waited longest to the free places. */
  #promote(site: number, nowMs: number): void {
    if (!isInService(this.site(site))) return;
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

/** Whether a reservation was cancelled with its site and nothing replaces it yet. */
export function isCancelledWithSite({ state, siteChange, isRedirected }: ModelReservation): boolean {
  return state === State.CANCELLED && siteChange?.cancelled === true && !isRedirected;
}

function outcomeOf(refused: Reason | undefined, reservation: ModelReservation): ModelOutcome {
  return refused === undefined ? { reservation } : { refused };
}
