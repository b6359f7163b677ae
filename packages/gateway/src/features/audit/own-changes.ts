import { create } from "@bufbuild/protobuf";
import { AuditEntrySchema, type AuditKind, AuditProof, type ModeName } from "@petak/protocol";
import { type AuditLog, gatewayMaker } from "@petak/records";
import { summaryMaxLength } from "./summary.ts";

/** A change that no call makes: the gateway finds it at its start, or in its files. */
export interface OwnChange {
  /** The networks that it concerns. */
  readonly modes: readonly ModeName[];
  /** What stands in place of a call's method. */
  readonly method: string;
  readonly kind: AuditKind;
  /** The id of what was changed. Default: none. */
  readonly objectId?: string;
  /** The participant to which it belongs. Default: none. */
  readonly ownerId?: string;
  /** What has changed, and its value, which is recorded when it is another than before. */
  readonly fact: { readonly name: string; readonly value: string };
  /** The change in a few words, by the value before, '' for none. */
  summary(before: string): string;
}

/** Records the gateway's own changes. */
export interface OwnChanges {
  /** Records what is not recorded yet, whichever gateway has found it. */
  tell(changes: readonly OwnChange[]): Promise<void>;
}

export function createOwnChanges(auditLog: Pick<AuditLog, "recordFact">): OwnChanges {
  /** What this process need not look up again. */
  const told = new Set<string>();
  return {
    async tell(changes) {
      for (const { modes, fact, summary, method, kind, objectId = "", ownerId = "" } of changes) {
        const known = `${fact.name} ${fact.value}`;
        if (told.has(known)) continue;
        for (const mode of modes) {
          await auditLog.recordFact(mode, fact, (before) =>
            create(AuditEntrySchema, {
              ...{ method, kind, objectId, ownerId, participantId: gatewayMaker, proof: AuditProof.OPERATORS_PROCESS },
              summary: summary(before).slice(0, summaryMaxLength),
            }),
          );
        }
        told.add(known);
      }
    },
  };
}
