import { credentialHash } from "@petak/credential";
import { type Act, DeviceEventType, type ProofKind } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { DoorRefusal } from "../decision/refusals.ts";
import type { AgentStore } from "../store/agent-store.ts";

/** A credential in a report. */
export interface ReportedCredential {
  readonly proofKind: ProofKind;
  /** Empty if the credential was not verified, since its id is then unproven. */
  readonly credentialHash: string;
  readonly act: Act;
  readonly reservationId: string;
  /** The bundle of the credential. Empty: it is a reservation's. */
  readonly bundleId: string;
  /** Whether it was delegated. */
  readonly delegated: boolean;
}

/** Appends reports of events at the doors to the outbox. Call it within the transaction of the reported change. */
export interface Reporter {
  refused(credential: ReportedCredential, refusal: DoorRefusal): void;
  happened(type: DeviceEventType, credential: ReportedCredential, compartmentId: string): void;
}

/** Makes a reporter. @param isOnline whether the last call reached the gateway */
export function createReporter(options: { store: AgentStore; clock: SiteClock; isOnline: () => boolean }): Reporter {
  const { store, clock, isOnline } = options;
  return {
    refused(credential, refusal) {
      store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, offline: !isOnline(), ...credential, refusal }, clock.nowMs());
    },
    happened(type, credential, compartmentId) {
      store.outbox.append({ type, offline: !isOnline(), ...credential, compartmentId }, clock.nowMs());
    },
  };
}

/**
 * The hash of a credential for reports; empty if it was not verified. The id of a service token used at a door is `<token id>/<door>`; all its doors have the
 * same hash.
 */
export async function reportedHash(credentialId: string | undefined): Promise<string> {
  const [tokenId] = credentialId?.split("/") ?? [];
  return tokenId === undefined ? "" : await credentialHash(tokenId);
}
