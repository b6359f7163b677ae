import { Act, DeviceEventType, ProofKind } from "@petak/protocol";
import type { AgentStore } from "../store/agent-store.ts";
import type { Reporter } from "./reporter.ts";
import type { Visits } from "./visits.ts";

/** A parcel that changes hands between a courier and a store. */
export interface ListedMove {
  /** DEPOSIT: the store has it from now on. COLLECT, RECALL: the courier has. */
  readonly act: Act;
  readonly reservationId: string;
  readonly compartmentId: string;
  /** What shows that it is on the list. Empty: there is no list. */
  readonly proof: string;
}

/** Parcels that change hands at once. */
export interface ListedMoves {
  /** The clerk who agreed. */
  readonly clerkId: string;
  /** The list that both sides signed. Undefined: the courier has not signed; the record then doubts each parcel. */
  readonly signed: { readonly listHash: string; readonly signatures: string } | undefined;
  readonly moves: readonly ListedMove[];
}

const types: ReadonlyMap<Act, DeviceEventType> = new Map([
  [Act.DEPOSIT, DeviceEventType.PARCEL_DEPOSITED],
  [Act.COLLECT, DeviceEventType.PARCEL_COLLECTED],
  [Act.RECALL, DeviceEventType.PARCEL_RECALLED],
]);

/** Records and reports parcels that change hands by a list. Call it within a transaction. */
export function moveListed(
  { store, reporter, visits }: { store: AgentStore; reporter: Reporter; visits: Pick<Visits, "clear"> },
  { clerkId, signed, moves }: ListedMoves,
): void {
  const nobody = { proofKind: ProofKind.UNSPECIFIED, credentialHash: "", act: Act.UNSPECIFIED, reservationId: "", bundleId: "" };
  const by = { ...nobody, delegated: false, clerkId };
  if (signed !== undefined) reporter.happened(DeviceEventType.HANDOVER_SIGNED, { ...by, handover: signed.signatures }, "");
  for (const { act, reservationId, compartmentId, proof } of moves) {
    const proven = signed && { proofKind: ProofKind.HANDOVER_LIST, credentialHash: signed.listHash, handover: proof };
    reporter.happened(types.get(act) ?? DeviceEventType.DOUBT, { ...by, ...proven, act, reservationId }, compartmentId);
    if (act === Act.DEPOSIT) store.saveCompartment({ compartmentId, condition: "OK", reservationId });
    else {
      visits.clear(compartmentId);
      store.saveEnded(reservationId);
    }
  }
}
