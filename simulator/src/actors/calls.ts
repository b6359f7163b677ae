import { setTimeout as delay } from "node:timers/promises";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { fromConnectError } from "@petak/client/node";
import type { CallObserved, Observation, Operation } from "../observe/observation.ts";

/** What is needed to make calls and to observe them. */
export interface Caller {
  readonly observe: (observation: Observation) => void;
  /** The network's time, in ms since 1970. */
  readonly nowMs: () => number;
  /** Ms since the run began, by the monotonic clock. */
  readonly doneMs: () => number;
  /** How long a person waits in this run who would wait so long before a screen. */
  readonly patienceMs: (ms: number) => number;
  readonly contact: Contact;
  /** When aborted, no further call is sent. */
  readonly signal: AbortSignal;
}

/** Whether the gateway answers. */
export interface Contact {
  reached(): void;
  failed(outcome: string): void;
}

/** What a call is about. */
export interface Asked extends Pick<CallObserved, "intention" | "operation" | "reservationId" | "siteId"> {
  /** When it was to be sent, if not now: ms since the run began. */
  readonly dueMs?: number;
}

/** A call failed. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  /** A reason of the error catalogue, or the code of the transport. */
  readonly outcome: string;
  /** Whether the gateway said no, so that nothing was done. */
  readonly isRefusal: boolean;
  readonly mayRepeat: boolean;
  readonly retryAfterMs: number;

  constructor(cause: unknown) {
    const error = ConnectError.from(cause);
    const refusal = fromConnectError(error);
    const outcome = refusal?.reason ?? (Code[error.code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    super(`${outcome}: ${error.rawMessage}`, { cause });
    this.outcome = outcome;
    const isUnknown = error.code === Code.Unavailable || error.code === Code.Aborted;
    this.mayRepeat = isUnknown || outcome === "OVERLOADED" || outcome === "RATE_LIMITED";
    this.isRefusal = refusal !== undefined && !isUnknown && error.code !== Code.DeadlineExceeded;
    this.retryAfterMs = refusal?.retryAfterMs ?? 0;
  }

  /** Whether the gateway was not there, or lets nobody in. */
  get isLost(): boolean {
    return ["UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "SHUTTING_DOWN", "STORE_UNAVAILABLE"].includes(this.outcome) || this.isLockedOut;
  }

  get isLockedOut(): boolean {
    return ConnectError.from(this.cause).code === Code.Unauthenticated;
  }
}

/** Longest pause between two attempts, in ms. */
const pauseMaxMs = 2000;

/**
 * Makes a call and observes it. Repeats it while the gateway cannot be reached or has too much to do, until the caller's patience is over; each attempt is
 * observed.
 *
 * @param send makes the same call each time, so that nothing is done twice
 * @param patienceMs how long the caller waits, from when the call was due
 * @throws {CallFailed}
 */
export async function ask<Answer>(
  caller: Caller,
  asked: Asked,
  send: (options: CallOptions) => Promise<Answer>,
  patienceMs: number,
): Promise<Answer> {
  const { dueMs: firstDueMs = caller.doneMs(), ...about } = asked;
  const untilMs = firstDueMs + caller.patienceMs(patienceMs);
  let dueMs = firstDueMs;
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMaxMs, 2 * pauseMs)) {
    caller.signal.throwIfAborted();
    const atMs = caller.nowMs();
    const sentMs = caller.doneMs();
    const tell = (outcome: string) =>
      caller.observe({ kind: "call", ...about, atMs, dueMs, sentMs, doneMs: Math.max(sentMs, caller.doneMs()), outcome });
    try {
      const answer = await send({ timeoutMs: Math.max(1, Math.ceil(untilMs - sentMs)) });
      tell("OK");
      caller.contact.reached();
      return answer;
    } catch (error) {
      const failure = new CallFailed(error);
      tell(failure.outcome);
      if (failure.isLost) caller.contact.failed(failure.outcome);
      else caller.contact.reached();
      const waitMs = Math.max(pauseMs, failure.retryAfterMs);
      if (!failure.mayRepeat || caller.doneMs() + waitMs >= untilMs) throw failure;
      await delay(waitMs, undefined, { signal: caller.signal });
      dueMs = caller.doneMs();
    }
  }
}

/** Patience of those who are in no hurry, in ms: couriers, consumers at a door, clean-up. */
export const servicePatienceMs = 30_000;

/** Watches whether a gateway answers. @param onLost called once, when every call has failed for a time */
export function createContact(lostAfterMs: number, doneMs: () => number, onLost: (reason: string) => void): Contact {
  const failuresMin = 3;
  let failures = 0;
  let sinceMs = 0;
  return {
    reached() {
      failures = 0;
    },
    failed(outcome) {
      if (failures === 0) sinceMs = doneMs();
      failures += 1;
      if (failures >= failuresMin && doneMs() - sinceMs >= lostAfterMs) onLost(outcome);
    },
  };
}

/** Observes something that is no call but takes time, e.g. an act at a door. */
export async function timed<Result>(
  caller: Caller,
  about: { intention: number; operation: Operation; siteId?: string; reservationId?: string },
  run: () => Promise<Result>,
  outcomeOf: (result: Result) => string = () => "OK",
): Promise<Result> {
  const atMs = caller.nowMs();
  const sentMs = caller.doneMs();
  const tell = (outcome: string) =>
    caller.observe({ kind: "call", ...about, atMs, dueMs: sentMs, sentMs, doneMs: Math.max(sentMs, caller.doneMs()), outcome });
  try {
    const result = await run();
    tell(outcomeOf(result));
    return result;
  } catch (error) {
    tell(new CallFailed(error).outcome);
    throw error;
  }
}
