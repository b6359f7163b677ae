import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType } from "@petak/protocol";
import type { ParticipantEvents, ParticipantStore } from "@petak/records";
import type { SignedStatement } from "../../secrets/issuer-certificates.ts";

/** For how long after a revocation it is told, in ms: events are recorded once within this time. */
const toldForMs = 7 * 86_400_000;

const pageSize = 500;

/** Tells participants of revoked issuer keys. */
export interface RevocationTeller {
  /** Tells every participant of each of these revocations, once, also if another gateway does so too or this one is started again. */
  tell(revocations: readonly SignedStatement[]): Promise<void>;
}

export function createRevocationTeller({
  participants,
  participantEvents,
  now,
}: {
  participants: Pick<ParticipantStore, "list">;
  participantEvents: ParticipantEvents;
  now: () => number;
}): RevocationTeller {
  /** The serial numbers of what this process has told. */
  const told = new Set<string>();

  async function tellAll(revocation: SignedStatement): Promise<void> {
    let after: string | undefined = "";
    while (after !== undefined) {
      const page = await participants.list(after, pageSize);
      for (const { participantId } of page.participants) {
        for (const isTest of [false, true]) await tellOne(revocation, participantId, isTest);
      }
      after = page.next;
    }
  }

  async function tellOne({ keyId, notBeforeS, serial }: SignedStatement, participantId: string, isTest: boolean): Promise<void> {
    const issuerRevocation = { issuerKeyId: keyId, revokedAt: timestampFromMs(notBeforeS * 1000) };
    const event = { type: EventType.ISSUER_KEY_REVOKED, participantId, isTest, issuerRevocation };
    await participantEvents.append(`issuer-key-revoked:${serial}:${participantId}:${isTest ? "test" : "live"}`, event, now());
  }

  return {
    async tell(revocations) {
      for (const revocation of revocations) {
        const isOld = now() >= revocation.notBeforeS * 1000 + toldForMs;
        if (isOld || told.has(revocation.serial)) continue;
        await tellAll(revocation);
        told.add(revocation.serial);
      }
    },
  };
}
