/**
 * What ends a call before its answer: its deadline, or its caller who went away. It stands in for an AbortSignal where most calls need
 * none: making one with a listener takes longer than many a handler.
 */
export class Interruption {
  #isInterrupted = false;
  #reason: unknown;
  #controller: AbortController | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  /** Whether the call was interrupted. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Why the call was interrupted. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same as a signal, made at first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isInterrupted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Interrupts the call. Later ones do nothing. */
  interrupt(reason: unknown): void {
    if (this.#isInterrupted) return;
    this.#isInterrupted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#reject?.(reason);
  }

  /** The work's result, or a rejection with the reason of the interruption, whichever comes first. For one work in a call. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
      if (this.#isInterrupted) reject(this.#reason);
    });
  }
}
