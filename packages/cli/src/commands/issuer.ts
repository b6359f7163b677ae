import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";

/**
 * `petak issuer`: the operator's root key, and what it certifies and revokes. `root`, `certify` and `revoke` run where the root key is kept, without a network; the
 * others on a gateway's machine, on its files.
 */
export const registerIssuer: CommandModule = (command, context) => {
  command
    .command("root")
    .description("make the operator's root key, and print its fingerprint; run it on a machine that stays offline")
    .requiredOption("--out <file>", "path of the root key file; it must not exist")
    .action(async ({ out }: { out: string }, running: Command) => {
      const { makeRootKey } = await import("../issuer-keys/root-key.ts");
      await makeRootKey(context.session(running), out);
    });

  withDataDir(command.command("request"))
    .description("make the keys of epochs to come, and write all public keys that the root should certify; run it on the gateway's machine")
    .requiredOption("--out <file>", "path of the request, for `petak issuer certify`; it has nothing secret")
    .option("--keys <count>", "keys that are made in advance: one for each rotation, and one for a leak", parseCount, 6)
    .option("--fresh", "make those anew that were made in advance: for when somebody may have read the gateway's secrets", false)
    .action(async (options: RequestOptions, running: Command) => {
      const { writeRequest } = await import("../issuer-keys/certificates.ts");
      await writeRequest(context.session(running), options);
    });

  command
    .command("certify")
    .description("certify issuer keys with the root key; run it where the root key is kept")
    .argument("<request>", "the file of `petak issuer request`")
    .requiredOption("--root <file>", "the root key file")
    .requiredOption("--out <file>", "path of the certificates, for `petak issuer install`; what it has already is kept")
    .option("--days <count>", "how long they last from now (1 to 400)", parseDays, 365)
    .action(async (request: string, options: CertifyOptions, running: Command) => {
      const { certify } = await import("../issuer-keys/root-key.ts");
      await certify(context.session(running), request, options);
    });

  command
    .command("revoke")
    .description("revoke an issuer key with the root key, for good; run it where the root key is kept, then `petak issuer install`")
    .argument("<key>", "the key's id, as `petak issuer status` shows it")
    .requiredOption("--root <file>", "the root key file")
    .requiredOption("--certificates <file>", "the file of `petak issuer certify`, to which the revocation is added")
    .action(async (keyId: string, options: { root: string; certificates: string }, running: Command) => {
      const { revoke } = await import("../issuer-keys/root-key.ts");
      await revoke(context.session(running), keyId, options);
    });

  withDataDir(command.command("install"))
    .description(
      "put certificates and revocations where gateways find them; a revoked key is replaced at once; run it on the gateway's machine",
    )
    .argument("<certificates>", "the file of `petak issuer certify` or `petak issuer revoke`")
    .option("--new-root", "accept another root key than before; devices that know the earlier one must be enrolled again", false)
    .action(async (file: string, options: InstallOptions, running: Command) => {
      const { install } = await import("../issuer-keys/certificates.ts");
      await install(context.session(running), file, options);
    });

  withDataDir(command.command("status"))
    .description("show the issuer keys, until when they are trusted and certified, and what is to be done; run it on the gateway's machine")
    .action(async (options: SecretsOptions, running: Command) => {
      const { showIssuer } = await import("../issuer-keys/issuer-keys.ts");
      await showIssuer(context.session(running), options);
    });
};

interface SecretsOptions {
  dataDir?: string;
  config?: string;
}

interface RequestOptions extends SecretsOptions {
  out: string;
  keys: number;
  fresh: boolean;
}

interface CertifyOptions {
  root: string;
  out: string;
  days: number;
}

interface InstallOptions extends SecretsOptions {
  newRoot: boolean;
}

function withDataDir(command: Command): Command {
  return command
    .option("--data-dir <directory>", "the gateway's data directory (env: PETAK_DATA_DIR; default: .petak)")
    .option("--config <file>", "the gateway's configuration file (env: PETAK_CONFIG)");
}

const parseCount = (text: string) => wholeNumber(text, 0, 32);
const parseDays = (text: string) => wholeNumber(text, 1, 400);

function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`write a whole number from ${least} to ${most}.`);
}
