import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { generateKeyPair, type KeyFile, readKeyFile, writeKeyFile } from "@petak/client/node";
import { publicKeyOf } from "@petak/credential";
import type { AdminIdentity } from "@petak/gateway";
import { newKeyId, newParticipantId } from "@petak/protocol";
import { isThere } from "../is-there.ts";

/** The gateway's administrator: the private half for commands, the public half for the gateway. */
export interface AdminKey {
  keyFile: KeyFile;
  identity: AdminIdentity;
}

/** Reads the administrator's key file; creates it if it does not exist, and notes the gateway's audience in it. */
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
  const known = await readKeyFile(path);
  const keyFile = { ...known, audience };
  // A file that cannot be written does not stop the gateway; commands with it are refused and told the audience.
  if (known.audience !== audience) await writeKeyFile(path, keyFile).catch(() => {});
  return {
    keyFile,
    identity: { participantId: keyFile.participant_id, keyId: keyFile.key_id, publicKey: publicKeyOf(keyFile.private_jwk) },
  };
}
