import { PetakError } from "@petak/protocol";
import { isStoreFailure } from "@petak/redis";

/** Why Redis rejects writes although it responds. These are values of a metric's label and stay as they are. */
export const rejectionReasons = ["disk", "memory", "read_only", "replicas"] as const;

/** One of {@link rejectionReasons}. */
export type RejectionReason = (typeof rejectionReasons)[number];

const rejectionPatterns: readonly (readonly [pattern: RegExp, reason: RejectionReason])[] = [
  [/^MISCONF /, "disk"],
  [/^OOM /, "memory"],
  [/^READONLY /, "read_only"],
  [/^NOREPLICAS /, "replicas"],
];

/** The cause and the remedy of each reason, for the operator who reads the log. */
export const rejectionAdvice: Readonly<Record<RejectionReason, string>> = {
  disk: "it cannot write to its disk; free space or repair the disk, and it recovers by itself",
  memory:
    "its memory has reached maxmemory; raise that (CONFIG SET maxmemory, and in its configuration file), and keep eviction off, since these are records",
  read_only: "it is a replica; set redisUrl to the master",
  replicas: "too few replicas are connected; check them and their network",
};

/** Why a server rejects writes, by its error. Undefined: the error is no rejection. */
export function rejectionReasonIn({ message }: Error): RejectionReason | undefined {
  return rejectionPatterns.find(([pattern]) => pattern.test(message))?.[1];
}

/** Message of the error that stands for a connection that was made and did not become ready. The client reports none. */
export const notReadyMessage = "connected, but not ready";

/** Whether an error says that too few replicas have acknowledged a change, or are connected at all. */
export function isReplicasError(error: unknown): boolean {
  return error instanceof PetakError && (error.reason === "DURABILITY_UNCONFIRMED" || error.reason === "REPLICAS_UNAVAILABLE");
}

/** Causes by code or message of an error. The first match counts. */
const unreachablePatterns: readonly (readonly [pattern: RegExp, cause: string])[] = [
  [/ECONNREFUSED|connect ENOENT/, "nothing listens at its address; start it"],
  [/ENOTFOUND|EAI_AGAIN/, "its host name does not resolve; check redisUrl and the name server"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "the network does not reach it; check the network in between"],
  [/^(Command timed out|Socket timeout)/, "it accepts connections but does not respond; it hangs, or waits for its disk"],
  [/^LOADING |^connected, but not ready/, "it has started and is loading its data; it responds once that is done"],
  [/^(NOAUTH|WRONGPASS) /, "it rejects the user or the password in redisUrl"],
  [/^NOPERM /, "the user in redisUrl lacks permissions"],
  [/max number of clients/, "it accepts no more connections; raise its maxclients"],
  [/^BUSY /, "it is busy with a long-running script"],
  [/^MASTERDOWN /, "it is a replica without its master; set redisUrl to the master"],
  [/^CLUSTERDOWN |^None of startup nodes/, "the cluster lacks masters; see CLUSTER NODES, and start them"],
  [/certificate/i, "its certificate is not trusted, or is for another name; give the root of its authority in NODE_EXTRA_CA_CERTS"],
  [/ECONNRESET|EPIPE/, "it closed the connection"],
];

/**
 * Why a server is unreachable and what to do, by an error of its connection. Undefined: the error explains nothing, such as the client's own, that it
 * has no connection.
 */
export function unreachableCause(error: Error): string | undefined {
  const { code = "" } = error as NodeJS.ErrnoException;
  return unreachablePatterns.find(([pattern]) => pattern.test(error.message) || pattern.test(code))?.[1];
}

/** The message of an error, or its code: the error for several failed connection attempts has no message. */
export function messageOf(error: Error): string {
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

/** The failure of Redis in an error: the error itself, or its cause, as in the errors that calls get. */
export function storeFailureIn(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isStoreFailure(error)) return error;
  return isStoreFailure(error.cause) ? (error.cause as Error) : undefined;
}
