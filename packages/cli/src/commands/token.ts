import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type DescMethod, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { signerOfKeyFile } from "@petak/client/node";
import { requestTokenLifetimeMs } from "@petak/credential";
import * as protocol from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";

interface TokenOptions {
  many?: number;
  prove?: string;
  data?: string;
}

/** How much later each of several tokens begins, in ms. They last a minute longer, so that none ends while a call is on its way. */
const manyEveryMs = requestTokenLifetimeMs - 60_000;

/** `petak token`: prints a signed request token, or several for a longer time, or with `--prove` the headers of one call, for tools that cannot sign. */
export const registerToken: CommandModule = (command, context) => {
  command
    .option(
      "--many <minutes>",
      "print tokens for so many minutes from now, one after the other, as JSON, e.g. for k6: 1 to 1440",
      parseMinutes,
    )
    .option(
      "--prove <method>",
      "print the headers of one call of this method, e.g. WebhookService/CreateEndpoint, with a proof, for curl -H @-",
    )
    .option("--data <file or JSON>", "with --prove: the request, byte for byte as it will be sent; a file, or JSON itself")
    .addHelpText(
      "after",
      `\nA token is valid for ${requestTokenLifetimeMs / 60_000} minutes from now, for any number of calls. With --json its expiresAt is printed too.`,
    )
    .action(async ({ many, prove, data }: TokenOptions, running: Command) => {
      const session = context.session(running);
      if (many !== undefined && prove !== undefined) throw usageFailure("--many and --prove are for different tools. Give one of them.");
      if (many !== undefined) return await printMany(session, many);
      if (prove !== undefined) return await printHeaders(session, prove, data);
      if (data !== undefined) throw usageFailure("--data says what --prove proves. Give --prove as well.");
      const { signer } = await session.connect();
      const authorization = await signer.authorization();
      const token = authorization.replace(/^Bearer /, "");
      session.output.json({ token, participantId: signer.participantId, keyId: signer.keyId, expiresAt: expiryOf(token) });
      session.output.print(token);
    });
};

/** Prints tokens for some minutes. A token for later is refused until its time comes, but whoever reads it may use it then. */
async function printMany(session: Session, minutes: number): Promise<void> {
  const { keyFile } = await session.connect();
  const beginMs = session.io.now();
  const tokens = [];
  for (let fromMs = beginMs; fromMs < beginMs + minutes * 60_000; fromMs += manyEveryMs) {
    const authorization = await signerOfKeyFile(keyFile, { now: () => fromMs }).authorization();
    const token = authorization.replace(/^Bearer /, "");
    tokens.push({ token, validFrom: new Date(fromMs).toISOString(), validUntil: expiryOf(token) });
  }
  session.output.json({ tokens });
  session.output.print(JSON.stringify({ tokens }));
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440) return minutes;
  throw new InvalidArgumentError(`"${text}" is no whole number of minutes from 1 to 1440.`);
}

async function printHeaders(session: Session, wanted: string, data: string | undefined): Promise<void> {
  const method = findMethod(wanted);
  if (data === undefined) throw usageFailure("--prove needs --data with the request: a proof is good for exactly these bytes.");
  const message = await readData(session, data);
  const { signer } = await session.connect();
  const authorization = await signer.authorization();
  const url = `${session.url}/${method.parent.typeName}/${method.name}`;
  const proof = await signer.prove({ url, message, requestId: requestIdIn(method, message), authorization });
  session.output.json({ url, headers: { Authorization: authorization, DPoP: proof } });
  session.output.print(`Authorization: ${authorization}`);
  session.output.print(`DPoP: ${proof}`);
}

/** The method with a name such as `WebhookService/CreateEndpoint`, with or without the package. */
function findMethod(wanted: string): DescMethod {
  const services = Object.values<unknown>(protocol).filter(
    (value): value is DescMethod["parent"] => typeof value === "object" && value !== null && "kind" in value && value.kind === "service",
  );
  const name = wanted.replace(/^\/?(petak\.v1\.)?/, "");
  const method = services.flatMap(({ methods }) => methods).find((one) => `${one.parent.name}/${one.name}` === name);
  if (method === undefined)
    throw usageFailure(`There is no method "${wanted}". Name service and method, e.g. WebhookService/CreateEndpoint.`);
  return method;
}

async function readData(session: Session, data: string): Promise<Buffer> {
  if (data.trimStart().startsWith("{")) return Buffer.from(data);
  const path = session.resolve(data);
  if (!existsSync(path)) throw usageFailure(`The file ${data} does not exist. Give --data a file, or JSON that begins with {.`);
  return await readFile(path);
}

function requestIdIn({ input, name }: DescMethod, bytes: Buffer): string | undefined {
  const text = bytes.toString();
  try {
    const message = text.trimStart().startsWith("{") ? fromJsonString(input, text) : fromBinary(input, bytes);
    return (message as Message & { requestId?: string }).requestId;
  } catch (error) {
    throw usageFailure(`The data is no request of ${name}: ${(error as Error).message}.`);
  }
}

/** The expiry claim of a token. */
function expiryOf(token: string): string {
  const [, claims = ""] = token.split(".");
  const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { exp: number };
  return new Date(exp * 1000).toISOString();
}
