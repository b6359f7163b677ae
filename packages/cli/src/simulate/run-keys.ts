import { join, relative } from "node:path";
import { createPetakClient, type KeyFile, type PetakClient, readKeyFile, signerOfKeyFile } from "@petak/client/node";
import { Role } from "@petak/protocol";
import { CliFailure, toFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { type KeysFolder, readKeysFolder } from "./keys-folder.ts";
import { guardLive } from "./live-guard.ts";
import { ensureCouriers } from "./participants.ts";

/** Where the keys of a run come from. */
export interface RunKeysOptions {
  readonly url: string;
  readonly tls: Session["tls"];
  /** `--keys`, absolute: a folder as `petak start` makes one. */
  readonly folder: string;
  /** `--key` or PETAK_KEY, absolute: the only courier. */
  readonly courierKey: string | undefined;
  /** `--i-know-this-is-live`. */
  readonly live: string | undefined;
  /** For messages. */
  readonly cwd: string;
}

/** The keys of a run, all of one network. */
export interface RunKeys {
  readonly folder: string;
  readonly couriers: readonly KeyFile[];
  /** By participant. Sites of other operators have no terminals in the run. */
  readonly operators: ReadonlyMap<string, KeyFile>;
  /** Moves the test clock, and makes participants. */
  readonly admin: KeyFile | undefined;
}

/**
 * Finds the keys of a run. With an administrator's key four couriers are made, or found again; else those of the folder are taken.
 *
 * @throws CliFailure if there are none, they are live and the gateway is not named, or the gateway does not know them.
 */
export async function findRunKeys(options: RunKeysOptions): Promise<RunKeys> {
  const { url, courierKey, live } = options;
  const folder = await readKeysFolder(options.folder);
  const given = courierKey === undefined ? undefined : await readCourierKey(courierKey);
  // An administrator's key is live everywhere; what it makes for a simulation are test keys.
  const isMade = given === undefined && folder.admin !== undefined && live === undefined;
  const found = given !== undefined ? [given] : folder.couriers;
  if (!isMade && found.length === 0) throw noKeys(options);
  const couriersMode = isMade ? "test" : found[0]?.mode;
  // Keys of both networks may lie in one folder; those of the couriers' one count. Couriers of both are refused below.
  const operators = folder.operators.filter(({ mode }) => mode === couriersMode);
  guardLive(url, [...(isMade ? [] : found), ...operators], live);
  const couriers = isMade ? await withClient(options, folder.admin as KeyFile, (admin) => makeCouriers(admin, folder)) : found;
  for (const courier of couriers) await withClient(options, courier, (client) => checkCourier(client, courier, url));
  return {
    folder: options.folder,
    couriers,
    operators: new Map(operators.map((operator) => [operator.participant_id, operator])),
    admin: folder.admin,
  };
}

async function readCourierKey(path: string): Promise<KeyFile> {
  try {
    return await readKeyFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw usageFailure(`The key file ${path} does not exist. Check --key and PETAK_KEY.`);
    throw usageFailure(`${(error as Error).message}.`);
  }
}

function noKeys({ folder, cwd }: RunKeysOptions): CliFailure {
  const shown = relative(cwd, folder) || ".";
  return usageFailure(
    `There are no keys in ${shown}, which \`npm start\` makes: run this in its folder, or give --keys with a folder that has courier.json and operator-*.json.`,
  );
}

/** Uses a client of a key for one thing. */
export async function withClient<T>(
  { url, tls }: Pick<Session, "url" | "tls">,
  key: KeyFile,
  use: (client: PetakClient) => Promise<T>,
): Promise<T> {
  const client = createPetakClient({ baseUrl: url, tls, signer: signerOfKeyFile(key), retry: { maxAttempts: 2, baseDelayMs: 100 } });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

async function makeCouriers(admin: PetakClient, { path, admin: key }: KeysFolder): Promise<KeyFile[]> {
  try {
    return await ensureCouriers(admin, path, key?.audience ?? "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EROFS") throw error;
    throw new CliFailure(`The keys of simulated couriers cannot be written to ${path} (${code}).`, { cause: error });
  }
}

async function checkCourier(client: PetakClient, { participant_id, key_id }: KeyFile, url: string): Promise<void> {
  const { participant } = await client.participants.getParticipant({}).catch((error: unknown) => {
    const { reason, message, exitCode, metadata } = toFailure(error, url);
    if (!/^[A-Z_]+$/.test(reason)) throw error;
    throw new CliFailure(`The gateway at ${url} refuses the courier's key ${key_id}: ${message}`, {
      reason,
      exitCode,
      metadata,
      cause: error,
    });
  });
  if (participant?.roles.includes(Role.COURIER) === true) return;
  throw new CliFailure(
    `${participant?.displayName ?? participant_id} is no courier, and parcels need one. Give --key the key file of a courier.`,
    {
      reason: "ROLE_REQUIRED",
    },
  );
}

/** The default of `--keys`. */
export const defaultKeysFolder = join(".petak", "keys");
