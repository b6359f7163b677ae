import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type KeyFile, readKeyFile } from "@petak/client/node";
import { usageFailure } from "../failure.ts";

/** The keys of a folder, as `petak start` makes one in `.petak/keys`. */
export interface KeysFolder {
  readonly path: string;
  readonly admin: KeyFile | undefined;
  readonly couriers: readonly KeyFile[];
  readonly operators: readonly KeyFile[];
}

/**
 * Reads the keys of a folder: `admin.json`, `courier*.json`, `operator*.json`,
 * those of simulations too. Any of them may be missing, and the folder too.
 *
 * @throws CliFailure (usage) if a file is no key file.
 */
export async function readKeysFolder(path: string): Promise<KeysFolder> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw usageFailure(`The folder of keys ${path} cannot be read (${error.code}).`);
  });
  const read = async (pattern: RegExp): Promise<KeyFile[]> =>
    await Promise.all(
      names
        .filter((name) => pattern.test(name))
        .sort()
        .map((name) => readKey(join(path, name))),
    );
  const [admin] = await read(/^admin\.json$/);
  return {
    path,
    admin,
    couriers: await read(/^(simulation-)?courier.*\.json$/),
    operators: await read(/^(simulation-)?operator.*\.json$/),
  };
}

async function readKey(path: string): Promise<KeyFile> {
  try {
    return await readKeyFile(path);
  } catch (error) {
    throw usageFailure(`${(error as Error).message}.`);
  }
}
