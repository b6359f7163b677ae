import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KeyFile, PetakClient } from "@petak/client/node";
import { Mode, Role } from "@petak/protocol";
import { ensureParticipant } from "./ensure-participant.ts";
import { namedUuid } from "./named-uuid.ts";
import { demoOperators } from "./operators.ts";

/** The participants of the demonstration network, with test keys in files. */
export interface DemoParticipants {
  courier: KeyFile;
  /** By operator key. */
  operators: ReadonlyMap<string, KeyFile>;
  /** A publishable key for trying things. */
  publishableKey: string;
  /** The shop that sends parcels to the network's sites, with its own publishable key. */
  shop: { keyFile: KeyFile; publishableKey: string };
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
  const shop = await ensure("shop", "Demo shop", Role.MERCHANT, join(keysDir, "shop.json"));
  const publishableKeyOf = async (name: string, { participant_id: participantId }: KeyFile): Promise<string> => {
    const requestId = namedUuid(name, participantId);
    const request = { requestId, participantId, mode: Mode.TEST, origins: ["*"] };
    return (await admin.participants.createPublishableKey(request)).publishableKey?.publishableKey ?? "";
  };
  const publishableKey = await publishableKeyOf("demo publishable key", courier);
  await writeFile(join(keysDir, "publishable.txt"), `${publishableKey}\n`, { mode: 0o600 });
  const ofShop = await publishableKeyOf("demo shop's publishable key", shop);
  return { courier, operators, publishableKey, shop: { keyFile: shop, publishableKey: ofShop } };
}
