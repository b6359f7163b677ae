/** Whether an error says that the server could not be reached or refused to work, rather than that a command was wrong. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (storeErrorNames.has(error.name)) return true;
  return storeErrorMessages.some((pattern) => pattern.test(error.message));
}

const storeErrorNames = new Set(["MaxRetriesPerRequestError", "AbortError", "ClusterAllFailedError"]);

const storeErrorMessages = [
  /^Stream isn't writeable/,
  /^Connection is closed/,
  /^Command timed out/,
  /^Socket timeout\./,
  /^(LOADING|MISCONF|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|TRYAGAIN) /,
  // A cluster whose slots are moving, or of which the connection has an old map.
  /^(MOVED|ASK) \d+ /,
  /^Too many Cluster redirections/,
  /^Cluster isn't ready/,
  /^None of startup nodes is available/,
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT/,
];
