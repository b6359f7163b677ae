import type { Reason } from "@petak/protocol";

/** Cancels what waits for its turn. */
export type CancelTurn = () => void;

/** One call on its way through: from its headers to its answer or refusal. */
export interface Ticket {
  /**
   * Admits the call before anything is spent on it.
   *
   * @throws {PetakError} RATE_LIMITED if its caller has as many calls in progress as it may have, OVERLOADED if the gateway has
   */
  enter(): void;
  /** Counts the call for its caller, who is known now, instead of for an address. Throws as {@link enter} does. */
  identify(account: string): void;
  /**
   * Lets the call run, at once or, if the promise is awaited, when fewer calls of its caller run.
   *
   * @throws {PetakError} CANCELED if it has been left
   */
  start(): Promise<void> | undefined;
  /**
   * Lets another call of the same caller run, because this one has been handled or only waits for something to happen. It still counts as in progress.
   * Whoever has called {@link start} calls this when the handler has ended, even if the call was left before: an abandoned handler still runs.
   */
  pause(): void;
  /** Ends the call: its share is free. A refusal that waits is not told any more. What is called twice has no effect. */
  leave(): void;
  /**
   * Tells the caller an error: at once if its call had begun and failed, or later if it never began and the caller got many such refusals. Nothing of
   * what the call held is kept meanwhile.
   *
   * @param reason the error's reason. Some are refusals although the call had begun
   * @param tell sends the error
   * @param giveUp closes the connection or stream without it, since too many wait already
   * @returns undefined if nothing waits
   */
  refuse(reason: Reason | undefined, tell: () => void, giveUp: () => void): CancelTurn | undefined;
}
