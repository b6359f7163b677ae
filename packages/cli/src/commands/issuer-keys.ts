import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { instantParser } from "./instant.ts";

/**
 * `petak keys issuer` and `petak keys rotate-issuer`: show and rotate the keys with which gateways sign access tokens. They work on the gateways' secrets file,
 * without calling a gateway.
 */
export const registerIssuerKeys: CommandModule = (command, context) => {
  withDataDir(command.command("issuer"))
    .description("show the keys with which a gateway signs access tokens, and when they may be rotated; run it on the gateway's machine")
    .option("--out <file>", "write the public keys, past and present, to this file for `petak verify-chain`")
    .action(async (options: { dataDir?: string; config?: string; out?: string }, running: Command) => {
      const { showIssuer } = await import("../issuer-keys/issuer-keys.ts");
      await showIssuer(context.session(running), options);
    });

  withDataDir(command.command("rotate-issuer"))
    .description("announce a new key for access tokens; it is used once every agent has it; run it on the gateway's machine")
    .option(
      "--at <time>",
      "first use of the new key, e.g. 2026-12-01T02:00Z or +3d (default: as early as possible)",
      instantParser(context.io),
    )
    .action(async (options: { dataDir?: string; config?: string; at?: Date }, running: Command) => {
      const { rotate } = await import("../issuer-keys/issuer-keys.ts");
      await rotate(context.session(running), { ...options, atMs: options.at?.getTime() });
    });
};

function withDataDir(command: Command): Command {
  return command
    .option("--data-dir <directory>", "the gateway's data directory (env: PETAK_DATA_DIR; default: .petak)")
    .option("--config <file>", "the gateway's configuration file (env: PETAK_CONFIG)");
}
