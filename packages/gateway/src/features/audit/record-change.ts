import { type AuditEntry, PetakError, type Reason } from "@petak/protocol";
import type { AuditedRequest, AuditLog } from "@petak/records";
import { storeFailureIn } from "../../store-watch/store-trouble.ts";

/** An administrative change and its entries. */
export interface RecordedChange<Result> {
  request: AuditedRequest;
  /** What is about to be done. */
  before: AuditEntry;
  work: () => Promise<Result>;
  /** What was done. Undefined: nothing was left to do. */
  after: (result: Result) => Promise<AuditEntry | undefined> | AuditEntry;
  /** Whether a refusal may come after a part of the change. Default: it does not. */
  mayHaveChanged?: () => boolean;
}

/**
 * Makes a change and records it. An entry is written before, completed after a success and removed after a refusal, so that one is left over by a call that was
 * cut off: its outcome is unknown. A success that found nothing to change removes the entry too, unless an earlier call of the request was cut off: that one
 * may have made the change.
 */
export async function recordChange<Result>(
  auditLog: Pick<AuditLog, "begin" | "withdraw" | "settle">,
  { request, before, work, after, mayHaveChanged = () => false }: RecordedChange<Result>,
): Promise<Result> {
  const isNew = await auditLog.begin(request, before);
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    // What is not withdrawn stays with an unknown outcome, which is true. The caller should know why its call was refused.
    if (isNew && isRefusal(error) && !mayHaveChanged()) await auditLog.withdraw(request).catch(() => {});
    throw error;
  }
  if (!isNew) return result;
  const entry = await after(result);
  await auditLog.settle(request, entry ?? before, entry !== undefined);
  return result;
}

/** Reasons of calls that may have changed something. */
const uncertain: ReadonlySet<string> = new Set<Reason>(["INTERNAL", "STORE_UNAVAILABLE", "STORE_FULL", "DURABILITY_UNCONFIRMED"]);

/** Whether an error means that nothing was changed. */
function isRefusal(error: unknown): boolean {
  return error instanceof PetakError && storeFailureIn(error) === undefined && !uncertain.has(error.reason);
}
