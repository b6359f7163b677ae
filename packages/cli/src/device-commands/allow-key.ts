import { randomUUID } from "node:crypto";
import { commandKeyText } from "@petak/credential";
import type { CommandKeys, Key } from "@petak/protocol";
import { usageFailure } from "../failure.ts";
import { pagesOf } from "../pages.ts";
import type { SignedConnection } from "../session.ts";

/** Keys of a page, the protocol's greatest. */
const pageSize = 500;

/** Lets a key of the caller sign commands. Returns all that may. */
export async function allowKey(
  { client, signer, keyFile }: SignedConnection,
  keyId: string,
  label: string,
): Promise<CommandKeys | undefined> {
  const { publicKey } = await findKey(client, keyId);
  const signature = await signer.sign(commandKeyText(signer.keyId, keyFile.participant_id, { keyId, publicKey, label }));
  return (await client.commands.allowCommandKey({ requestId: randomUUID(), keyId, label, signature })).commandKeys;
}

async function findKey(client: SignedConnection["client"], keyId: string): Promise<Key> {
  for await (const { keys } of pagesOf((cursor) => client.participants.listKeys({ cursor, pageSize }))) {
    const found = keys.find((key) => key.keyId === keyId && key.siteId === "");
    if (found !== undefined) return found;
  }
  throw usageFailure(`${keyId} is no key of your own. \`petak keys list\` shows them.`);
}
