/** A call whose deadline can be watched. */
interface WatchedCall {
  /** Starts the timer of the deadline, if the call still waits. */
  startDeadline(): void;
}

/**
 * Starts the deadlines of calls that are still being read in the next turn of the event loop. Nearly every body arrives with its head and is
 * answered before that, so a timer for each call would be created for nothing.
 */
export class DeadlineWatch {
  #begun: WatchedCall[] = [];

  add(call: WatchedCall): void {
    if (this.#begun.push(call) === 1) setImmediate(this.#startAll);
  }

  #startAll = (): void => {
    const begun = this.#begun;
    this.#begun = [];
    for (const call of begun) call.startDeadline();
  };
}
