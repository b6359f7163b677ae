import { credentialHash } from "@petak/credential";
import { type Act, DeviceEventType, type ProofKind } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { DoorRefusal } from "../decision/refusals.ts";
import type { AgentStore } from "../store/agent-store.ts";

/** What a report says of a credential. */
export interface ReportedCredential {
  readonly proofKind: ProofKind;
  /** Empty: the credential was not proven, so its id is anybody's word. */
  readonly credentialHash: string;
  readonly act: Act;
  readonly reservationId: string;
  /** The bundle whose credential it is. Empty: a reservation's own. */
  readonly bundleId: string;
  /** Whether it is a delegate's. */
  readonly delegated: boolean;
}

/** Writes reports of what happens at the doors into the outbox. Called within the transaction that makes the change. */
export interface Reporter {
  refused(credential: ReportedCredential, refusal: DoorRefusal): void;
  happened(type: DeviceEventType, credential: ReportedCredential, compartmentId: string): void;
}

/** Makes a reporter. @param isOnline whether the gateway was reached the last time */
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
 * The hash under which a credential is reported. Empty where it was not proven. The doors that one token for service opens have one hash: what
 * stands after a slash is the door.
 */
export async function reportedHash(credentialId: string | undefined): Promise<string> {
  const [tokenId] = credentialId?.split("/") ?? [];
  return tokenId === undefined ? "" : await credentialHash(tokenId);
}
