import { create } from "@bufbuild/protobuf";
import { EventType, type Key, Mode, PartyKind, PartySchema, type PublishableKey } from "@petak/protocol";
import type { ParticipantEvents, ParticipantStore } from "@petak/records";

/** What happened to a key. */
type KeyEventType = typeof EventType.KEY_REGISTERED | typeof EventType.KEY_REVOKED;

/** Who changes a key: the participant and the key that signed the request. */
export interface KeyChanger {
  readonly participantId: string;
  readonly keyId: string;
}

/** Where events about keys are recorded, and what tells whether a key is its owner's first. */
export interface KeyEventDependencies {
  participantEvents: ParticipantEvents;
  participants: Pick<ParticipantStore, "keysOf">;
}

/**
 * Records for the owner of a key that it is registered, unless it has no other: nobody could have read its feeds before. Done before the key can be used, so
 * that none is in use of which its owner did not hear.
 */
export async function tellOfNewKey(
  { participants, participantEvents }: KeyEventDependencies,
  key: Key | PublishableKey,
  caller: KeyChanger,
  nowMs: number,
): Promise<void> {
  // As of 1970, so that nothing is too old: it takes no entry from the list whose record is about to be written.
  const { keys, publishableKeys, next } = await participants.keysOf(key.participantId, undefined, 2, 0);
  // Entries without a record are left out, so that a page may be short although others follow.
  const hasOther = next !== undefined || [...keys, ...publishableKeys].some((other) => idOf(other) !== idOf(key));
  if (hasOther) await recordKeyEvent(participantEvents, EventType.KEY_REGISTERED, key, caller, nowMs);
}

/** Records for the owner of a key that it was registered or revoked, and by whom: once, also if the request is repeated. */
export async function recordKeyEvent(
  events: ParticipantEvents,
  type: KeyEventType,
  key: Key | PublishableKey,
  caller: KeyChanger,
  nowMs: number,
): Promise<void> {
  const keyId = idOf(key);
  const event = {
    type,
    siteId: "siteId" in key ? key.siteId : "",
    participantId: key.participantId,
    actor: create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: caller.participantId }),
    isTest: key.mode === Mode.TEST,
    keyChange: { keyId, byKeyId: caller.keyId },
  };
  await events.append(`${type === EventType.KEY_REGISTERED ? "key-registered" : "key-revoked"}:${keyId}`, event, nowMs);
}

function idOf(key: Key | PublishableKey): string {
  return "keyId" in key ? key.keyId : key.publishableKey;
}
