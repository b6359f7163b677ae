import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { create, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { generateKeyPair, type KeyFile, type PetakClient, signKeyPossession, writeKeyFile } from "@petak/client/node";
import { ListKeysResponseSchema, type ModeName, PublishableKeySchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure, toFailure, usageFailure } from "../failure.ts";
import { pagesOf } from "../pages.ts";
import type { Session } from "../session.ts";
import { registerDeviceKeys } from "./device-keys.ts";
import { registerIssuerKeys } from "./issuer-keys.ts";
import { modeName, modeOf, parseMode } from "./mode.ts";

/** Keys of a page, the protocol's greatest. */
const pageSize = 500;

/** `petak keys`: signing keys of participants and their agents, and publishable keys of web pages. */
export const registerKeys: CommandModule = (command, context) => {
  registerIssuerKeys(command, context);
  registerDeviceKeys(command, context);
  command
    .command("make")
    .description("make a key pair, register its public key, and write a key file that only its owner can read")
    .requiredOption("--out <file>", "path of the key file; it must not exist")
    .option("--participant <id>", "owner of the key (default: the caller; others only for administrators)")
    .option("--mode <test|live>", "network of the key (default: the caller's)", parseMode)
    .option("--site <id>", "for an agent's key: its site")
    .option("--label <text>", "a label for people", "")
    .action(async (options: MakeOptions, running: Command) => {
      await makeKey(context.session(running), options);
    });

  command
    .command("list")
    .description("list keys and publishable keys; of each kind those in force, newest first, then revoked ones")
    .option("--participant <id>", "owner of the keys (default: the caller; others only for administrators)")
    .action(async (options: { participant?: string }, running: Command) => {
      await listKeys(context.session(running), options.participant ?? "");
    });

  command
    .command("rotate")
    .description("replace the key in the key file of --key, and revoke the old one once the new one works")
    .action(async (_options: object, running: Command) => {
      await rotateKey(context.session(running));
    });

  command
    .command("revoke")
    .description("revoke a key or a publishable key")
    .argument("<key>", "the key's id, key_…, or a publishable key, pk_…")
    .option("--force", "revoke even the key that signs this request")
    .action(async (keyId: string, options: { force?: boolean }, running: Command) => {
      const session = context.session(running);
      const { client, keyFile } = await session.connect();
      if (keyId === keyFile.key_id && options.force !== true) {
        throw usageFailure(`${keyId} signs this request, so its key file would become useless. Pass --force to revoke it anyway.`);
      }
      await client.participants.revokeKey({ requestId: randomUUID(), keyId });
      session.output.json({ revoked: keyId });
      session.output.print(`Revoked ${keyId}.`);
    });

  command
    .command("publishable")
    .description("make a publishable key for web pages: it reads the directory and nothing else")
    .requiredOption(
      "--origin <origin>",
      'a web origin whose pages may use it, e.g. https://shop.example; may be repeated; "*" for test keys',
      collect,
    )
    .option("--participant <id>", "owner of the key (default: the caller; others only for administrators)")
    .option("--mode <test|live>", "network of the key (default: the caller's)", parseMode)
    .option("--rate <per second>", "requests per second and gateway (1 to 1000; default: 50)", parseRate, 0)
    .action(async (options: { origin: string[]; participant?: string; mode?: ModeName; rate: number }, running: Command) => {
      const session = context.session(running);
      const { client, keyFile } = await session.connect();
      const { publishableKey } = await client.participants.createPublishableKey({
        requestId: randomUUID(),
        participantId: options.participant ?? "",
        mode: modeOf(options.mode ?? keyFile.mode),
        origins: options.origin,
        requestsPerSecond: options.rate,
      });
      if (publishableKey === undefined) return;
      session.output.json(toJson(PublishableKeySchema, publishableKey));
      session.output.print(publishableKey.publishableKey);
    });
};

interface MakeOptions {
  out: string;
  participant?: string;
  mode?: ModeName;
  site?: string;
  label: string;
}

async function makeKey(session: Session, options: MakeOptions): Promise<void> {
  const path = session.resolve(options.out);
  // Check the path first: a registered key that cannot be saved is useless.
  if (existsSync(path)) throw new CliFailure(`${options.out} already exists, and key files are never overwritten. Give another file.`);
  await access(dirname(path), constants.W_OK).catch(() => {
    throw new CliFailure(`The folder ${dirname(path)} does not exist or cannot be written to.`);
  });
  const { client, keyFile: own } = await session.connect();
  const mode = options.mode ?? own.mode;
  const keyFile = await registerNewKey(client, {
    participantId: options.participant ?? own.participant_id,
    mode,
    audience: own.audience,
    siteId: options.site ?? "",
    label: options.label,
  });
  try {
    await writeKeyFile(path, keyFile);
  } catch (error) {
    await client.participants.revokeKey({ requestId: randomUUID(), keyId: keyFile.key_id });
    throw new CliFailure(`${options.out} could not be written (${(error as Error).message}); the new key was revoked.`, { cause: error });
  }
  session.output.json({ keyId: keyFile.key_id, participantId: keyFile.participant_id, mode, file: path });
  session.output.print(`Made ${session.output.colors.cyan(keyFile.key_id)} of ${keyFile.participant_id}, in ${options.out}.`);
}

async function rotateKey(session: Session): Promise<void> {
  const { client, keyFile: old, keyPath } = await session.connect();
  const fresh = await registerNewKey(client, {
    participantId: old.participant_id,
    mode: old.mode,
    audience: old.audience,
    siteId: "",
    label: "",
  });
  const freshClient = session.connectWith(fresh);
  try {
    await freshClient.participants.getParticipant({});
    await writeKeyFile(keyPath, fresh);
  } catch (error) {
    const { message, exitCode } = toFailure(error, session.url);
    await client.participants.revokeKey({ requestId: randomUUID(), keyId: fresh.key_id });
    throw new CliFailure(`The new key could not be used, so it was revoked and ${old.key_id} stays valid: ${message}`, {
      exitCode,
      cause: error,
    });
  }
  try {
    await freshClient.participants.revokeKey({ requestId: randomUUID(), keyId: old.key_id });
  } catch (error) {
    const { message, exitCode } = toFailure(error, session.url);
    throw new CliFailure(
      `${keyPath} has the new key ${fresh.key_id}, but the old one could not be revoked: ${message} Run \`petak keys revoke ${old.key_id}\`.`,
      { exitCode, cause: error },
    );
  }
  session.output.json({ keyId: fresh.key_id, revoked: old.key_id, file: keyPath });
  session.output.print(`${keyPath} has the new key ${session.output.colors.cyan(fresh.key_id)}; ${old.key_id} is revoked.`);
}

interface NewKey {
  participantId: string;
  mode: ModeName;
  audience: string;
  siteId: string;
  label: string;
}

/** Makes a key pair, registers its public key, and returns the content of its key file. */
async function registerNewKey(client: PetakClient, { participantId, mode, audience, siteId, label }: NewKey): Promise<KeyFile> {
  const { privateJwk, publicKey } = await generateKeyPair();
  const requestId = randomUUID();
  const { key } = await client.participants.registerKey({
    requestId,
    participantId,
    publicKey,
    mode: modeOf(mode),
    siteId,
    label,
    possessionProof: await signKeyPossession(privateJwk, audience, { participantId, mode, siteId, requestId }),
  });
  if (key === undefined) throw new CliFailure("The gateway registered the key, but its response lacks the key.");
  return { participant_id: key.participantId, key_id: key.keyId, mode, audience, private_jwk: privateJwk };
}

async function listKeys(session: Session, participantId: string): Promise<void> {
  const { output } = session;
  const { client } = await session.connect();
  const response = create(ListKeysResponseSchema);
  for await (const { keys, publishableKeys } of pagesOf((cursor) => client.participants.listKeys({ participantId, cursor, pageSize }))) {
    response.keys.push(...keys);
    response.publishableKeys.push(...publishableKeys);
  }
  output.json(toJson(ListKeysResponseSchema, response));
  const dim = output.colors.dim;
  output.table(
    [
      { title: "KEY", paint: output.colors.cyan },
      { title: "MODE" },
      { title: "FOR", flexible: true },
      { title: "LABEL", flexible: true },
      { title: "MADE" },
      { title: "REVOKED", paint: output.colors.red },
    ],
    [
      ...response.keys.map(({ keyId, mode, siteId, label, createdAt, revokedAt }) => [
        keyId,
        modeName(mode),
        siteId === "" ? "participant" : `agent of ${siteId}`,
        label,
        formatTime(createdAt),
        formatTime(revokedAt),
      ]),
      ...response.publishableKeys.map(({ publishableKey, mode, origins, requestsPerSecond, createdAt, revokedAt }) => [
        publishableKey,
        modeName(mode),
        `pages of ${origins.join(", ")}`,
        `${requestsPerSecond}/s`,
        formatTime(createdAt),
        formatTime(revokedAt),
      ]),
    ],
  );
  if (response.keys.length + response.publishableKeys.length === 0) output.print(dim("No keys."));
}

function formatTime(time: Timestamp | undefined): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 16)}Z`;
}

function collect(text: string, earlier: string[] = []): string[] {
  return [...earlier, ...text.split(",").map((origin) => origin.trim())];
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 1 || rate > 1000) throw new InvalidArgumentError("write a whole number from 1 to 1000.");
  return rate;
}
