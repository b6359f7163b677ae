import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair, type KeyFile, type PetakClient, readKeyFile, writeKeyFile } from "@petak/client/node";
import { publicKeyOf } from "@petak/credential";
import { Mode, Role } from "@petak/protocol";
import { isThere } from "../serve/is-there.ts";
import { namedUuid } from "./named-uuid.ts";
import { demoOperators } from "./operators.ts";

/** The participants of the demonstration network, with test keys in files. */
export interface DemoParticipants {
  courier: KeyFile;
  /** By operator key. */
  operators: ReadonlyMap<string, KeyFile>;
  /** A publishable key for trying things. */
  publishableKey: string;
}

/** Path of a demonstration operator's key file. */
export function operatorKeyPath(keysDir: string, operatorKey: string): string {
  return join(keysDir, `operator-${operatorKey}.json`);
}

/**
 * Ensures that the demonstration's participants are registered and have key files. Idempotency keys are derived from names and public keys, so that an interrupted start is
 * completed by the next.
 */
export async function ensureDemoParticipants(admin: PetakClient, keysDir: string, audience: string): Promise<DemoParticipants> {
  await mkdir(keysDir, { recursive: true, mode: 0o700 });
  const ensure = (name: string, displayName: string, role: Role, path: string) =>
    ensureParticipant(admin, { name, displayName, role, path, audience });
  const courier = await ensure("courier", "Demo courier", Role.COURIER, join(keysDir, "courier.json"));
  const operators = new Map<string, KeyFile>();
  for (const { key, name } of demoOperators) {
    operators.set(key, await ensure(`operator-${key}`, name, Role.OPERATOR, operatorKeyPath(keysDir, key)));
  }
  const { publishableKey } = await admin.participants.createPublishableKey({
    requestId: namedUuid("demo publishable key", courier.participant_id),
    participantId: courier.participant_id,
    mode: Mode.TEST,
    origins: ["*"],
  });
  const text = publishableKey?.publishableKey ?? "";
  await writeFile(join(keysDir, "publishable.txt"), `${text}\n`, { mode: 0o600 });
  return { courier, operators, publishableKey: text };
}

interface Wanted {
  name: string;
  displayName: string;
  role: Role;
  path: string;
  audience: string;
}

async function ensureParticipant(admin: PetakClient, { name, displayName, role, path, audience }: Wanted): Promise<KeyFile> {
  if (await isThere(path)) {
    const known = await readKeyFile(path);
    if (await isRegistered(admin, known)) return known;
  }
  const { participant } = await admin.participants.createParticipant({
    requestId: namedUuid("demo participant", name),
    displayName,
    roles: [role],
  });
  const participantId = participant?.participantId ?? "";
  const { privateJwk } = await generateKeyPair();
  const publicKey = publicKeyOf(privateJwk);
  const { key } = await admin.participants.registerKey({
    requestId: namedUuid("demo key", name, Buffer.from(publicKey).toString("hex")),
    participantId,
    publicKey,
    mode: Mode.TEST,
    label: `demonstration: ${name}`,
  });
  const keyFile: KeyFile = { participant_id: participantId, key_id: key?.keyId ?? "", mode: "test", audience, private_jwk: privateJwk };
  await writeKeyFile(path, keyFile);
  return keyFile;
}

/** Whether the gateway knows the key of a file; the store may be newer than the file. */
async function isRegistered(admin: PetakClient, keyFile: KeyFile): Promise<boolean> {
  const { participants } = await admin.participants.listParticipants({});
  if (!participants.some(({ participantId }) => participantId === keyFile.participant_id)) return false;
  const { keys } = await admin.participants.listKeys({ participantId: keyFile.participant_id });
  return keys.some(({ keyId, revokedAt }) => keyId === keyFile.key_id && revokedAt === undefined);
}
