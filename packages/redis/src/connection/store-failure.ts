/** Whether an error means that the server was unreachable or rejected the work, as opposed to a wrong command. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (storeErrorNames.has(error.name)) return true;
  return storeErrorMessages.some((pattern) => pattern.test(error.message));
}

/** Whether an error means that a command timed out, in which case commands queued behind it on the same connection get no reply either. */
export function isCommandTimeout(error: unknown): boolean {
  return error instanceof Error && /^Command timed out/.test(error.message);
}

const storeErrorNames = new Set(["MaxRetriesPerRequestError", "AbortError", "ClusterAllFailedError"]);

const storeErrorMessages = [
  /^Stream isn't writeable/,
  /^Connection is (closed|aborted|discarded)/,
  /^Command (timed out|aborted due to connection close)/,
  /^Socket timeout\./,
  /^(LOADING|MISCONF|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM|TRYAGAIN|UNBLOCKED) /,
  /^ERR max number of clients/,
  // A server that somebody rid of a script that ran for too long, as its BUSY advises. The script had changed nothing.
  /^(ERR .*)?Script killed by user/,
  // Slots are being moved, or the connection's slot map is outdated.
  /^(MOVED|ASK) \d+ /,
  /^Too many Cluster redirections/,
  // The slot map was reloaded between queueing and sending a pipeline; nothing was sent.
  /^All (the )?keys in (the|a) pipeline/,
  /^Cluster (isn't ready|is (ended|disconnecting|disconnected)\.)/,
  /^Node is disconnected/,
  /^None of startup nodes is available/,
  // Socket errors only: a missing file has the same codes.
  /\b(connect|read|write) (ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT)/,
];
