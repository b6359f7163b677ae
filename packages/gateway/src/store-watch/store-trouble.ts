import { PetakError } from "@petak/protocol";
import { isStoreFailure } from "@petak/redis";

/** Why Redis refuses to change anything while it answers. They are labels of a metric, so that they stay what they are. */
export const refusals = ["disk", "memory", "read_only", "replicas"] as const;

/** One of {@link refusals}. */
export type Refusal = (typeof refusals)[number];

const refusalWords: readonly (readonly [pattern: RegExp, refusal: Refusal])[] = [
  [/^MISCONF /, "disk"],
  [/^OOM /, "memory"],
  [/^READONLY /, "read_only"],
  [/^NOREPLICAS /, "replicas"],
];

/** What is wrong and what to do about it, for whoever reads the log at night. */
export const refusalAdvice: Readonly<Record<Refusal, string>> = {
  disk: "it cannot write to its disk; make room there, or see what else is wrong with it, and it goes on by itself",
  memory:
    "its memory has reached maxmemory; raise that (CONFIG SET maxmemory, and in its configuration), and let it evict nothing, for these are records",
  read_only: "it is a replica; let redisUrl lead to the master",
  replicas: "too few replicas follow it; look after them and the network to them",
};

/** Why a server refuses changes, by what it said; undefined where it does not. */
export function refusalIn({ message }: Error): Refusal | undefined {
  return refusalWords.find(([pattern]) => pattern.test(message))?.[1];
}

/** What is kept in mind of a connection that was made and does not come to its first command: the client says nothing of that. */
export const notReadyMessage = "connected, and not ready";

/** Whether an error says that too few replicas have what was changed, or follow at all. */
export function isForWantOfReplicas(error: unknown): boolean {
  return error instanceof PetakError && (error.reason === "DURABILITY_UNCONFIRMED" || error.reason === "REPLICAS_UNAVAILABLE");
}

/** By code and message of an error, the first that fits. */
const awayWords: readonly (readonly [pattern: RegExp, cause: string])[] = [
  [/ECONNREFUSED|connect ENOENT/, "nothing listens at its address; start it"],
  [/ENOTFOUND|EAI_AGAIN/, "its name has no address; see what redisUrl says, and the name server"],
  [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, "there is no way to it; see to the network between"],
  [/^(Command timed out|Socket timeout)/, "it takes connections and answers nothing; it stands still, or waits for its disk"],
  [/^LOADING |^connected, and not ready/, "it has begun, and reads its records back, after which it answers"],
  [/^(NOAUTH|WRONGPASS) /, "it refuses the user or the password of redisUrl"],
  [/^NOPERM /, "its user in redisUrl may not do what is needed"],
  [/max number of clients/, "it takes no more connections; raise its maxclients"],
  [/^BUSY /, "it is busy with somebody's script"],
  [/^MASTERDOWN /, "it is a replica without its master; let redisUrl lead to the master"],
  [/^CLUSTERDOWN |^None of startup nodes/, "the cluster lacks masters; see CLUSTER NODES, and start them"],
  [/certificate/i, "its certificate is not trusted, or is another's"],
  [/ECONNRESET|EPIPE/, "it closed the connection"],
];

/**
 * Why a server is away and what to do, by an error of its connection; undefined for what the client says of itself, which is only that it has no
 * connection.
 */
export function awayCause(error: Error): string | undefined {
  const { code = "" } = error as NodeJS.ErrnoException;
  return awayWords.find(([pattern]) => pattern.test(error.message) || pattern.test(code))?.[1];
}

/** What an error says for itself: several attempts at one name have no message but a code. */
export function saidIn(error: Error): string {
  return error.message === "" ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}

/** What of an error is a failure of Redis: calls are answered with one that has it as its cause. */
export function storeFailureIn(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isStoreFailure(error)) return error;
  return isStoreFailure(error.cause) ? (error.cause as Error) : undefined;
}
