import { Code } from "@connectrpc/connect";
import { catalogue, PetakError, type Reason } from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import type { Metrics } from "../../observability/metrics.ts";
import type { CancelTurn, Ticket } from "../call/ticket.ts";
import { type Account, type Accounts, createAccounts } from "./accounts.ts";
import type { CallLimits } from "./call-limits.ts";
import { mayTake, type ShareLimits } from "./fair-share.ts";
import { isOpenCall } from "./open-calls.ts";
import { createPacer, type Pacer } from "./pacer.ts";
import { Peer } from "./peer.ts";
import type { Pace } from "./rate.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Whether a call has one answer, or counts as a stream, which are long and mostly idle. */
export type CallKind = "unary" | "stream";

/** Limits of {@link createAdmission}, explained at {@link CallLimits}. */
export type AdmissionLimits = Pick<
  CallLimits,
  | "maxConcurrentCalls"
  | "maxConcurrentStreams"
  | "callerCallsGuaranteed"
  | "callerCallsMax"
  | "callerCallsRunning"
  | "callerRefusalsPerSecond"
  | "refusalsWaitingMax"
>;

/** Options of {@link createAdmission}. */
export interface AdmissionOptions {
  limits: AdmissionLimits;
  /** The accounts of callers. Default: new ones. */
  accounts?: Accounts;
  /** Counts calls in progress and calls refused. */
  metrics: Pick<Metrics, "inHand" | "rpcShed" | "callsRefused">;
  /** The delay in the RetryInfo of refused calls, in ms. Default 1000: long enough for the calls in progress to finish. */
  retryAfterMs?: number;
  /** The clock of delays, in ms. Default `performance.now`. */
  now?: () => number;
}

/** Where a call comes from. */
export interface Arrival {
  /** The other end of its connection. */
  peer: Peer;
  /** The account of the address that it comes from. */
  source: string;
  /** The account of its caller, if that is known already. */
  account: string | undefined;
}

/** Shares the gateway among its callers. */
export interface Admission {
  /** Returns the ticket of a call whose headers have arrived. */
  arrive(kind: CallKind, from: Arrival): Ticket;
  /** Returns the ticket of a health check: it needs no share, and only its own connection can delay it. */
  arriveHealthCheck(peer: Peer): Ticket;
  /**
   * Answers a request that needs no credentials, at once or, of too many, later.
   *
   * @param asked the peer for a health check, so that no other peer can delay it; else the account of the address
   * @param answer answers the request
   * @param giveUp closes its connection, since too many wait already
   * @returns undefined if nothing waits
   */
  takeTurn(asked: Peer | Account, answer: () => void, giveUp: () => void): CancelTurn | undefined;
  readonly accounts: Accounts;
}

/** Health checks of one connection that are answered at once, as a part of the refusals: 5 a second by default. Supervisors ask less often. */
const healthCheckPart = 0.1;

/** Creates the admission of all calls of a gateway, on whichever path they are handled. */
export function createAdmission({ limits, metrics, accounts = createAccounts(), retryAfterMs = 1000, now }: AdmissionOptions): Admission {
  const pace = { waitingMax: limits.refusalsWaitingMax, ...(now && { now }) };
  const gate: Gate = {
    accounts,
    metrics,
    retryAfterMs,
    turns: createTurns(limits.callerCallsRunning),
    shares: {
      unary: { total: limits.maxConcurrentCalls, guaranteed: limits.callerCallsGuaranteed, max: limits.callerCallsMax },
      // Each service bounds the streams of a participant. This bounds those of addresses whose caller is not known.
      stream: { total: limits.maxConcurrentStreams, guaranteed: 1, max: limits.maxConcurrentStreams },
    },
    refusals: createPacer({ ...pace, perSecond: limits.callerRefusalsPerSecond }),
  };
  const health = createPacer({ ...pace, perSecond: Math.max(1, limits.callerRefusalsPerSecond * healthCheckPart) });
  const openRequests = createPacer({ ...pace, perSecond: limits.callerRefusalsPerSecond });
  return {
    accounts: gate.accounts,
    arrive: (kind, from) => new CallTicket(gate, kind, from),
    arriveHealthCheck: (peer) => new HealthTicket(health, peer),
    takeTurn(asked, answer, giveUp) {
      if (asked instanceof Peer) return takeTurn(health, asked, answer, giveUp);
      return takeTurn(openRequests, asked.openRequests, answer, giveUp);
    },
  };
}

/** What all tickets share. */
interface Gate {
  readonly accounts: Accounts;
  readonly metrics: AdmissionOptions["metrics"];
  readonly retryAfterMs: number;
  readonly turns: Turns;
  readonly shares: Readonly<Record<CallKind, ShareLimits>>;
  readonly refusals: Pacer;
}

class CallTicket implements Ticket {
  readonly #gate: Gate;
  readonly #kind: CallKind;
  #account: Account;
  readonly #peer: Peer;
  #isCallerKnown: boolean;
  #isIn = false;
  #isRunning = false;
  /** Whether its handling has begun, however it ended. */
  #hasBegun = false;
  /** Begins it, while it waits for its turn. */
  #begin: (() => void) | undefined = undefined;
  #cancelRefusal: CancelTurn | undefined = undefined;

  constructor(gate: Gate, kind: CallKind, { peer, source, account }: Arrival) {
    this.#gate = gate;
    this.#kind = kind;
    this.#account = gate.accounts.of(account ?? source);
    this.#peer = peer;
    this.#isCallerKnown = account !== undefined;
  }

  enter(): void {
    const { metrics } = this.#gate;
    this.#requireShare(this.#account, metrics.inHand[this.#kind]);
    metrics.inHand[this.#kind] += 1;
    this.#account[this.#kind] += 1;
    this.#isIn = true;
  }

  identify(name: string): void {
    this.#isCallerKnown = true;
    if (!this.#isIn || name === this.#account.name) return;
    const account = this.#gate.accounts.of(name);
    this.#account[this.#kind] -= 1;
    const anonymous = this.#account;
    this.#account = account;
    try {
      this.#requireShare(account, this.#gate.metrics.inHand[this.#kind] - 1);
    } catch (error) {
      // It stays counted until it leaves.
      this.#account = anonymous;
      anonymous[this.#kind] += 1;
      throw error;
    }
    account[this.#kind] += 1;
  }

  start(): Promise<void> | undefined {
    const account = this.#account;
    if (this.#isCallerKnown) this.#peer.isKnown = true;
    if (!this.#isIn) throw new PetakError("CANCELED", "The call ended before it began.");
    if (this.#gate.turns.mayStart(account)) {
      this.#run();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#begin = () => {
        this.#begin = undefined;
        this.#run();
        resolve();
      };
      account.waiting.add(this.#begin);
    });
  }

  pause(): void {
    if (this.#isRunning) this.#gate.turns.end(this.#account);
    this.#isRunning = false;
  }

  leave(): void {
    this.#cancelRefusal?.();
    this.#cancelRefusal = undefined;
    if (!this.#isIn) return;
    this.#isIn = false;
    const account = this.#account;
    account[this.#kind] -= 1;
    this.#gate.metrics.inHand[this.#kind] -= 1;
    // What was given up while it waited must not stay in memory, however long the others run.
    if (this.#begin !== undefined) account.waiting.delete(this.#begin);
    this.#begin = undefined;
  }

  refuse(reason: Reason | undefined, tell: () => void, giveUp: () => void): CancelTurn | undefined {
    this.leave();
    if (this.#hasBegun && !isPaced(reason)) return void tell();
    this.#cancelRefusal = takeTurn(this.#gate.refusals, this.#account.refusals, tell, giveUp);
    return this.#cancelRefusal;
  }

  #run(): void {
    this.#isRunning = true;
    this.#hasBegun = true;
  }

  #requireShare(account: Account, all: number): void {
    const kind = this.#kind;
    const { name, [kind]: own } = account;
    const elsewhere = kind === "unary" ? account.elsewhere : 0;
    const { shares, metrics, retryAfterMs } = this.#gate;
    const limits = shares[kind];
    if (mayTake({ own, elsewhere, all }, limits)) return;
    const isFull = all >= limits.total;
    const limit = isFull ? limits.total : own + elsewhere;
    if (isFull) metrics.rpcShed.inc({ kind });
    else metrics.callsRefused.inc({ kind });
    const who = isFull
      ? `The gateway is processing ${limit} ${kind} calls, its limit`
      : `${name} has ${limit} ${kind} calls in progress, its share`;
    throw new PetakError(isFull ? "OVERLOADED" : "RATE_LIMITED", `${who}. Try again in ${retryAfterMs} ms.`, {
      metadata: { kind, limit: String(limit) },
      retryAfterMs,
    });
  }
}

class HealthTicket implements Ticket {
  readonly #pacer: Pacer;
  readonly #peer: Peer;
  #hasBegun = false;

  constructor(pacer: Pacer, peer: Peer) {
    this.#pacer = pacer;
    this.#peer = peer;
  }

  enter(): void {}

  identify(): void {}

  start(): Promise<void> | undefined {
    this.#hasBegun = true;
    const delayMs = this.#pacer.delayMs(this.#peer);
    if (delayMs === 0) return undefined;
    return new Promise((resolve, reject) => {
      const isWaiting = this.#pacer.after(delayMs, resolve) !== undefined;
      if (!isWaiting) reject(new PetakError("RATE_LIMITED", "Too many health checks wait. Ask less often.", { retryAfterMs: delayMs }));
    });
  }

  pause(): void {}

  leave(): void {}

  refuse(_reason: Reason | undefined, tell: () => void, giveUp: () => void): CancelTurn | undefined {
    return this.#hasBegun ? void tell() : takeTurn(this.#pacer, this.#peer, tell, giveUp);
  }
}

function takeTurn(pacer: Pacer, pace: Pace, act: () => void, giveUp: () => void): CancelTurn | undefined {
  const delayMs = pacer.delayMs(pace);
  if (delayMs === 0) return void act();
  const cancel = pacer.after(delayMs, act);
  if (cancel === undefined) giveUp();
  return cancel;
}

/**
 * Whether an error of a call that had begun is one of those that a caller can cause without end at no cost of its own: it has no valid credentials any
 * more, or no share left.
 */
function isPaced(reason: Reason | undefined): boolean {
  if (reason === undefined) return false;
  return reason === "RATE_LIMITED" || reason === "OVERLOADED" || catalogue[reason].code === Code.Unauthenticated;
}

/**
 * Returns whether unary calls of a service are bounded. Health checks are not: otherwise a busy gateway would look dead to the supervisor that
 * restarts unhealthy ones.
 */
export function isBounded(service: { typeName: string }): boolean {
  return service.typeName !== Health.typeName;
}

/** The longest message that a stranger may send, in bytes: nobody answers for what is read of them, and a stream may last. */
const openMessageMaxBytes = 4096;

/** Returns the longest request message of a method, in bytes. @param method its full name */
export function readMaxBytesOf(service: { typeName: string }, method: string, { readMaxBytes }: Pick<CallLimits, "readMaxBytes">): number {
  return isOpenCall(service, method) ? Math.min(readMaxBytes, openMessageMaxBytes) : readMaxBytes;
}
