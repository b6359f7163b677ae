import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type AuditEntry, AuditKind, AuditOutcome } from "@petak/protocol";
import { idOf } from "./id-argument.ts";
import { wordsOf } from "./words.ts";

/** The kinds of administrative changes. */
export const auditKinds = wordsOf(AuditKind);

/** Parses the maker of administrative changes: a participant, or the gateway itself. */
export function parseMaker(text: string): string {
  return text === "gateway" ? text : idOf("par")(text);
}

/** An administrative change in one line. */
export function auditLineOf({ recordedAt, participantId, keyId, method, objectId, summary, outcome }: AuditEntry): string {
  const at = recordedAt === undefined ? "" : timestampDate(recordedAt).toISOString();
  const call = method.slice(method.indexOf("/") + 1);
  const isUnknown = outcome === AuditOutcome.UNKNOWN;
  return [at, participantId, keyId, call, objectId, summary, isUnknown ? "(cut off: whether it was done is not known)" : ""]
    .filter((part) => part !== "")
    .join("  ");
}
