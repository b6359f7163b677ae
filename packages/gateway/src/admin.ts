import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { KeySchema, Mode, ParticipantSchema, Role } from "@petak/protocol";
import type { ParticipantStore } from "./stores/participant-store.ts";

/** The participant that runs the gateway, known to it from its start. */
export interface AdminIdentity {
  participantId: string;
  /** A live key: it registers live and test keys of others. */
  keyId: string;
  /** 32 bytes. */
  publicKey: Uint8Array;
}

/** Makes sure that ADMIN and its key are registered. */
export async function registerAdmin(participants: ParticipantStore, admin: AdminIdentity, nowMs: number): Promise<void> {
  const createdAt = timestampFromMs(nowMs);
  await participants.add(
    create(ParticipantSchema, {
      participantId: admin.participantId,
      displayName: "Gateway administration",
      roles: [Role.ADMIN],
      createdAt,
    }),
  );
  await participants.addKey(
    create(KeySchema, {
      keyId: admin.keyId,
      participantId: admin.participantId,
      publicKey: admin.publicKey,
      mode: Mode.LIVE,
      createdAt,
      label: "administration",
    }),
  );
}
