import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Enrolment, EnrolmentSchema, EnrolmentState } from "@petak/protocol";
import type { EnrolmentEnd } from "@petak/records";
import { modeName } from "../../identity/cached-key-directory.ts";

/** The id of the key that is registered by an enrolment. Whoever sees one of the ids finds the other. */
export function keyIdOf({ enrolmentId, mode }: Pick<Enrolment, "enrolmentId" | "mode">): string {
  return `key_${modeName(mode)}_${enrolmentId.slice("enr_".length)}`;
}

/** An enrolment with its state. */
export function enrolmentView(enrolment: Enrolment, end: EnrolmentEnd | undefined, nowMs: number): Enrolment {
  const state = stateOf(enrolment, end, nowMs);
  return create(EnrolmentSchema, { ...enrolment, state, keyId: state === EnrolmentState.USED ? keyIdOf(enrolment) : "" });
}

/** What became of an enrolment by now. */
export function stateOf({ expiresAt }: Enrolment, end: EnrolmentEnd | undefined, nowMs: number): EnrolmentState {
  if (end === "revoked") return EnrolmentState.REVOKED;
  if (end !== undefined) return EnrolmentState.USED;
  return expiresAt === undefined || timestampMs(expiresAt) <= nowMs ? EnrolmentState.EXPIRED : EnrolmentState.OPEN;
}
