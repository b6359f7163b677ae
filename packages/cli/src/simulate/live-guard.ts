import type { KeyFile } from "@petak/client/node";
import { usageFailure } from "../failure.ts";

/**
 * Keeps load away from the live network: it takes places that people need. A run with live keys needs the gateway's name, written out.
 *
 * @param keys those of couriers and operators
 * @param named the value of `--i-know-this-is-live`
 * @throws CliFailure (usage) if keys are live and the name is not the gateway's, or if they are of both networks.
 */
export function guardLive(url: string, keys: readonly KeyFile[], named: string | undefined): void {
  const modes = new Set<string>(keys.map(({ mode }) => mode));
  const { host } = new URL(url);
  if (!modes.has("live")) {
    if (named === undefined) return;
    throw usageFailure("--i-know-this-is-live is for live keys, and all keys of this run are test keys. Leave it out.");
  }
  if (modes.has("test"))
    throw usageFailure("Some keys of this run are live and some are test keys, so they see different networks. Give keys of one network.");
  if (named === host) return;
  const said = named === undefined ? "" : `, not "${named}"`;
  throw usageFailure(
    `These are live keys, and a simulation takes places that people need. Use test keys, or name the gateway: --i-know-this-is-live ${host}${said}.`,
  );
}
