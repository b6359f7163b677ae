import { verifyCommandKey } from "@petak/credential";
import type { CommandKey } from "@petak/protocol";

/**
 * Which of the offered keys an agent trusts to sign commands. The first that it ever receives it takes as they are; from then on a key counts only if one that it
 * trusts allowed it, so that whoever has the gateway or the line adds none. Keys that are not offered any more are given up.
 *
 * @param held those that it trusts. Undefined: it has never received any
 */
export async function trustedCommandKeys(
  offered: readonly CommandKey[],
  held: readonly CommandKey[] | undefined,
  operatorId: string,
): Promise<CommandKey[]> {
  if (held === undefined) return [...offered];
  const trusted = new Map(held.map((key) => [key.keyId, key]));
  // One may have allowed another that is listed before it.
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false;
    for (const key of offered) {
      const byKey = trusted.get(key.byKeyId);
      if (trusted.has(key.keyId) || byKey === undefined || !(await verifyCommandKey(byKey, operatorId, key))) continue;
      trusted.set(key.keyId, key);
      isGrowing = true;
    }
  }
  return offered.flatMap(({ keyId }) => trusted.get(keyId) ?? []);
}
