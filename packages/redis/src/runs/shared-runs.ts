/**
 * Makes work that many ask for at once run once for them: who asks while it runs shares the next run with all who came meanwhile, since the one
 * under way may have looked before there was what they ask for.
 */
export function sharedRuns(work: () => Promise<void>): () => Promise<void> {
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
