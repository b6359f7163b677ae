/**
 * Wraps work so that concurrent calls share runs. A call while no run is in progress starts one. Calls during a run share the next one,
 * which starts when the current run ends: the current run may have started too early to see what they ask for. A failed run rejects only
 * the calls that share it.
 */
export function coalescedRuns(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function start(): Promise<void> {
    const run = work().finally(() => {
      if (current === run) current = undefined;
    });
    current = run;
    return run;
  }

  return () => {
    if (current === undefined) return next ?? start();
    next ??= current
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
