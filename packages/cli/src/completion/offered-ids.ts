import { createHash } from "node:crypto";
import type { CliIo } from "../session.ts";
import { idCachePath, keep, readKept } from "./id-cache.ts";
import type { IdKind } from "./id-kinds.ts";
import type { OfferedId } from "./offered-id.ts";

/** How long a gateway may take, in ms: somebody waits at a prompt. */
const askMs = 1000;

/**
 * The ids to offer for some kinds, asked of the gateway with the key of the environment, or kept from a few seconds ago. None if that fails, whatever the reason:
 * nothing may be printed into a line that is being typed.
 */
export async function offeredIds(io: CliIo, kinds: readonly IdKind[]): Promise<OfferedId[]> {
  const { PETAK_URL: url, PETAK_KEY: key } = io.env;
  const question = createHash("sha256")
    .update(JSON.stringify([url, key, io.cwd, kinds]))
    .digest("base64url");
  const path = idCachePath(io.env);
  try {
    const kept = await readKept(path, question, io.now());
    if (kept !== undefined) return kept;
    const ids = await ask(io, kinds);
    await keep(path, question, ids, io.now()).catch(() => {});
    return ids;
  } catch {
    return [];
  }
}

async function ask(io: CliIo, kinds: readonly IdKind[]): Promise<OfferedId[]> {
  const [{ createSession }, { ownIds }] = await Promise.all([import("../session.ts"), import("./own-ids.ts")]);
  const session = createSession(io, {});
  try {
    const { client, keyFile } = await session.connect(false);
    return await ownIds(client, keyFile.participant_id, kinds, AbortSignal.timeout(askMs));
  } finally {
    session.close();
  }
}
