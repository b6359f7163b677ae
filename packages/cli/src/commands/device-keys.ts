import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fromJsonString, toJson } from "@bufbuild/protobuf";
import { generateKeyPair, type KeyFile, signKeyPossession, writeKeyFile } from "@petak/client/node";
import { type ModeName, RegisterKeyRequestSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { modeOf, parseMode } from "./mode.ts";

/**
 * `petak keys prove`, `register` and `adopt`: a key that is made where it stays. A device proves that it has the private half, its operator registers the public
 * half, and the device notes the key's id.
 */
export const registerDeviceKeys: CommandModule = (command, context) => {
  command
    .command("prove")
    .description(
      "on a device: make a key pair, and print the request by which its operator registers the public key; no private key leaves the device",
    )
    .requiredOption("--out <file>", "path of the key file; it must not exist, and works after `petak keys adopt`")
    .requiredOption("--participant <id>", "owner of the key")
    .requiredOption("--audience <text>", "the gateway's audience, as the operator's key file has it")
    .requiredOption("--mode <test|live>", "network of the key", parseMode)
    .option("--site <id>", "for an agent's key: its site", "")
    .option("--label <text>", "a label for people", "")
    .action(async (options: ProveOptions, running: Command) => await proveKey(context.session(running), options));

  command
    .command("register")
    .description("register the key of a device by the request that `petak keys prove` printed there")
    .argument("<file>", "the request, as JSON")
    .option(
      "--own",
      "register a key of the participant itself, which may do all that the participant may (default: an agent's only)",
      false,
    )
    .action(async (file: string, { own }: { own: boolean }, running: Command) => await registerKey(context.session(running), file, own));

  command
    .command("adopt")
    .description("on a device: note the id under which its key was registered, which completes the key file")
    .argument("<file>", "the key file that `petak keys prove` wrote")
    .argument("<key>", "the key's id, key_…", parseKeyId)
    .action(
      async (file: string, keyId: string, _options: object, running: Command) => await adoptKey(context.session(running), file, keyId),
    );
};

interface ProveOptions {
  out: string;
  participant: string;
  audience: string;
  mode: ModeName;
  site: string;
  label: string;
}

async function proveKey(session: Session, { out, participant, audience, mode, site, label }: ProveOptions): Promise<void> {
  const path = session.resolve(out);
  if (existsSync(path)) throw new CliFailure(`${out} already exists, and key files are never overwritten. Give another file.`);
  const { privateJwk, publicKey } = await generateKeyPair();
  const requestId = randomUUID();
  const possessionProof = await signKeyPossession(privateJwk, audience, { participantId: participant, mode, siteId: site, requestId });
  const unregistered = { version: 1, participant_id: participant, mode, audience, private_jwk: privateJwk };
  await writeFile(path, `${JSON.stringify(unregistered, undefined, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
  const request = { requestId, participantId: participant, publicKey, mode: modeOf(mode), siteId: site, label, possessionProof };
  const json = toJson(RegisterKeyRequestSchema, { $typeName: RegisterKeyRequestSchema.typeName, ...request });
  session.output.json(json);
  session.output.print(JSON.stringify(json));
}

async function registerKey(session: Session, file: string, isOwn: boolean): Promise<void> {
  const request = readRequest(await readText(session, file), file);
  const { participantId, siteId } = request;
  if (siteId === "" && !isOwn) {
    throw usageFailure(
      `${file} asks for a key of ${participantId} itself, which may do all that the participant may, and not for one of a site's agent. Pass --own if that is meant.`,
    );
  }
  const { client } = await session.connect();
  const { key } = await client.participants.registerKey(request);
  const keyId = key?.keyId ?? "";
  const holder = siteId === "" ? `${participantId} itself` : `the agent of ${siteId}`;
  session.output.json({ keyId, participantId: key?.participantId ?? "", siteId: key?.siteId ?? "" });
  session.output.print(`Registered ${session.output.colors.cyan(keyId)} for ${holder}. On the device: petak keys adopt FILE ${keyId}`);
}

function readRequest(text: string, file: string) {
  try {
    return fromJsonString(RegisterKeyRequestSchema, text);
  } catch (error) {
    throw new CliFailure(`${file} is no request of \`petak keys prove\`: ${(error as Error).message}.`, { cause: error });
  }
}

async function adoptKey(session: Session, file: string, keyId: string): Promise<void> {
  const path = session.resolve(file);
  const { key_id: known, ...unregistered } = readUnregistered(await readText(session, file), file);
  if (known !== undefined && known !== keyId)
    throw new CliFailure(`${file} is the key file of ${known} already. If that id is wrong, correct key_id in the file.`);
  await writeKeyFile(path, { ...unregistered, key_id: keyId });
  session.output.json({ keyId, file: path });
  session.output.print(`${file} is the key file of ${session.output.colors.cyan(keyId)} now.`);
}

function readUnregistered(text: string, file: string): KeyFile {
  try {
    return JSON.parse(text) as KeyFile;
  } catch (cause) {
    throw new CliFailure(`${file} is no key file of \`petak keys prove\`: it is not JSON.`, { cause });
  }
}

async function readText(session: Session, file: string): Promise<string> {
  if (!existsSync(session.resolve(file))) throw usageFailure(`The file ${file} does not exist.`);
  return await readFile(session.resolve(file), "utf8");
}

function parseKeyId(text: string): string {
  if (!/^key_(live|test)_[0-9a-z]{16}$/.test(text))
    throw new InvalidArgumentError("write the id that `petak keys register` printed, key_….");
  return text;
}
