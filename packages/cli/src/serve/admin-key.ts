import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { generateKeyPair, type KeyFile, readKeyFile, writeKeyFile } from "@petak/client/node";
import { publicKeyOf } from "@petak/credential";
import type { AdminIdentity } from "@petak/gateway";
import { newKeyId, newParticipantId } from "@petak/protocol";
import { isThere } from "./is-there.ts";

/** The gateway's administrator: the private half for commands, the public half for the gateway. */
export interface AdminKey {
  keyFile: KeyFile;
  identity: AdminIdentity;
}

/** Reads the administrator's key file; creates it if it does not exist. */
export async function loadAdminKey(path: string, audience: string): Promise<AdminKey> {
  if (!(await isThere(path))) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { privateJwk } = await generateKeyPair();
    await writeKeyFile(path, {
      participant_id: newParticipantId(),
      key_id: newKeyId("live"),
      mode: "live",
      audience,
      private_jwk: privateJwk,
    });
  }
  const keyFile = { ...(await readKeyFile(path)), audience };
  return {
    keyFile,
    identity: { participantId: keyFile.participant_id, keyId: keyFile.key_id, publicKey: publicKeyOf(keyFile.private_jwk) },
  };
}
