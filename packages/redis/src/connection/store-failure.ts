/** Whether an error says that the server could not be reached or refused to work, rather than that a command was wrong. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (storeErrorNames.has(error.name)) return true;
  return storeErrorMessages.some((pattern) => pattern.test(error.message));
}

/** Whether an error says that a command got no answer in time, so that whatever waits behind it on its connection gets none either. */
export function isCommandTimeout(error: unknown): boolean {
  return error instanceof Error && /^Command timed out/.test(error.message);
}

const storeErrorNames = new Set(["MaxRetriesPerRequestError", "AbortError", "ClusterAllFailedError"]);

const storeErrorMessages = [
  /^Stream isn't writeable/,
  /^Connection is (closed|aborted|discarded)/,
  /^Command (timed out|aborted due to connection close)/,
  /^Socket timeout\./,
  /^(LOADING|MISCONF|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|TRYAGAIN) /,
  // A cluster whose slots are moving, or of which the connection has an old map.
  /^(MOVED|ASK) \d+ /,
  /^Too many Cluster redirections/,
  // A map that was read anew between commands that were gathered and their sending: nothing was sent.
  /^All (the )?keys in (the|a) pipeline/,
  /^Cluster (isn't ready|is (ended|disconnecting|disconnected)\.)/,
  /^Node is disconnected/,
  /^None of startup nodes is available/,
  // Of sockets, and not of files, which may be missing too.
  /\b(connect|read|write) (ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT)/,
];
