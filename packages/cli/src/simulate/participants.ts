import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { KeyFile, PetakClient } from "@petak/client/node";
import { Role } from "@petak/protocol";
import { ensureParticipant } from "../demo/ensure-participant.ts";

/** How many couriers carry the parcels of a simulation. */
const courierCount = 4;

/**
 * Ensures that the couriers of simulations are registered, with test keys in files of the folder. A second run finds them again.
 *
 * @param admin an administrator's client
 */
export async function ensureCouriers(admin: PetakClient, folder: string, audience: string): Promise<KeyFile[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const couriers: KeyFile[] = [];
  for (let number = 1; number <= courierCount; number++) {
    const name = `simulation-courier-${number}`;
    const path = join(folder, `${name}.json`);
    couriers.push(await ensureParticipant(admin, { name, displayName: `Simulated courier ${number}`, role: Role.COURIER, path, audience }));
  }
  return couriers;
}

/** Ensures that the operator of sites that are placed for simulations is registered. See {@link ensureCouriers}. */
export async function ensureOperator(admin: PetakClient, folder: string, audience: string): Promise<KeyFile> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = "simulation-operator";
  const path = join(folder, `${name}.json`);
  return await ensureParticipant(admin, { name, displayName: "Simulated operator", role: Role.OPERATOR, path, audience });
}
