import { generateKeyPair, type KeyFile, type PetakClient, readKeyFile, signKeyPossession, writeKeyFile } from "@petak/client/node";
import { publicKeyOf } from "@petak/credential";
import { Mode, type Role, reasonOf } from "@petak/protocol";
import { isThere } from "../is-there.ts";
import { pagesOf } from "../pages.ts";
import { namedUuid } from "./named-uuid.ts";

/** A participant that has a test key in a file. */
export interface WantedParticipant {
  /** Short and stable: idempotency keys are derived from it, so that what was interrupted is completed by the next call. */
  name: string;
  displayName: string;
  role: Role;
  path: string;
  audience: string;
}

/** Ensures that a participant is registered and has a key file. Returns the key file. @param admin an administrator's client */
export async function ensureParticipant(admin: PetakClient, wanted: WantedParticipant): Promise<KeyFile> {
  const { name, displayName, role, path, audience } = wanted;
  if (await isThere(path)) {
    const known = await readKeyFile(path);
    if (await isRegistered(admin, known)) {
      if (known.audience !== audience) await writeKeyFile(path, { ...known, audience });
      return { ...known, audience };
    }
  }
  const { participant } = await admin.participants.createParticipant({
    requestId: namedUuid("demo participant", name),
    displayName,
    roles: [role],
  });
  const participantId = participant?.participantId ?? "";
  const { privateJwk } = await generateKeyPair();
  const publicKey = publicKeyOf(privateJwk);
  const requestId = namedUuid("demo key", name, Buffer.from(publicKey).toString("hex"));
  const { key } = await admin.participants.registerKey({
    requestId,
    participantId,
    publicKey,
    mode: Mode.TEST,
    possessionProof: await signKeyPossession(privateJwk, audience, { participantId, mode: "test", siteId: "", requestId }),
    label: `demonstration: ${name}`,
  });
  const keyFile: KeyFile = { participant_id: participantId, key_id: key?.keyId ?? "", mode: "test", audience, private_jwk: privateJwk };
  await writeKeyFile(path, keyFile);
  return keyFile;
}

/** Whether the gateway knows the key of a file; the store may be newer than the file. */
async function isRegistered(admin: PetakClient, keyFile: KeyFile): Promise<boolean> {
  const { participant_id: participantId, key_id: wanted } = keyFile;
  try {
    for await (const { keys } of pagesOf((cursor) => admin.participants.listKeys({ participantId, cursor }))) {
      const found = keys.find(({ keyId }) => keyId === wanted);
      if (found !== undefined) return found.revokedAt === undefined;
    }
  } catch (error) {
    if (reasonOf(error) !== "PARTICIPANT_NOT_FOUND") throw error;
  }
  return false;
}
