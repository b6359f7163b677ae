/** A call that is being read. */
interface Reading {
  /** Begins to watch its deadline. */
  startDeadline(): void;
}

/**
 * Arms the deadlines of calls that are still read when the loop comes round. Nearly every body comes with its head, and is answered before;
 * a timer for each would be made and thrown away.
 */
export class DeadlineWatch {
  #begun: Reading[] = [];

  /** Looks after a call that begins to be read. */
  add(reading: Reading): void {
    if (this.#begun.push(reading) === 1) setImmediate(this.#look);
  }

  #look = (): void => {
    const begun = this.#begun;
    this.#begun = [];
    for (const reading of begun) reading.startDeadline();
  };
}
