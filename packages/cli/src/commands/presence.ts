import { readFile, writeFile } from "node:fs/promises";
import { type Ed25519PrivateJwk, generateKeyPair } from "@petak/client/node";
import { provePresence } from "@petak/credential";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import { fileProblemOf } from "../file-failure.ts";
import type { Session } from "../session.ts";
import { readToken } from "./access-token.ts";

/** The telephone's part of `petak credentials`: a holder's key, and proofs of presence. Neither calls a gateway. */
export const registerPresence: CommandModule = (command, context) => {
  command
    .command("holder-key")
    .description("make the key of a holder, as a telephone does, and print its public half for --holder; the key stays in the file")
    .argument("<file>", "a new file for the key, which only its owner can read")
    .action(async (file: string, _options: object, running: Command) => await makeHolderKey(context.session(running), file));

  command
    .command("prove")
    .description("prove to a terminal that the holder of an access token stands before it: sign the challenge that it shows")
    .argument("<access-token>", "the access token, or @FILE with the token or the output of `issue --json`")
    .argument("<challenge>", "the terminal's challenge, which is good for a minute", parseChallenge)
    .requiredOption("--holder-key <file>", "the key to which the token is bound, as `holder-key` made it")
    .option("--door <door>", "for service, the door to open (default: the door that the token names)")
    .action(async (given: string, challenge: string, options: { holderKey: string; door?: string }, running: Command) => {
      await prove(context.session(running), given, challenge, options);
    });
};

async function makeHolderKey({ output, resolve }: Session, file: string): Promise<void> {
  const { privateJwk } = await generateKeyPair();
  try {
    await writeFile(resolve(file), `${JSON.stringify(privateJwk)}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST";
    const why = isThere ? "exists, and a key is not written over: name another file" : `cannot be written: ${(error as Error).message}`;
    throw new CliFailure(`${file} ${why}.`, { reason: "holder-key", cause: error });
  }
  const publicKey = Buffer.from(privateJwk.x, "base64url").toString("base64");
  output.json({ publicKey, file });
  output.print(publicKey);
}

async function prove(
  session: Session,
  given: string,
  challenge: string,
  { holderKey, door }: { holderKey: string; door?: string },
): Promise<void> {
  const { output } = session;
  const token = await readToken(session, given);
  const privateJwk = await readHolderKey(session, holderKey);
  const presence = await provePresence({ token, challenge, privateJwk, ...(door !== undefined && { compartmentId: door }) }).catch(
    (error: Error) => {
      throw new CliFailure(`There is no proof: ${error.message}. Check ${holderKey}, and that the token is whole.`, {
        reason: "holder-key",
        cause: error,
      });
    },
  );
  const line = `code ${token} ${presence}${door === undefined ? "" : ` ${door}`}`;
  output.json({ presence, line });
  output.print(`Proof  ${output.colors.cyan(presence)}`);
  output.print(`Show the terminal:  ${line}`);
}

async function readHolderKey({ resolve }: Session, file: string): Promise<Ed25519PrivateJwk> {
  try {
    return JSON.parse(await readFile(resolve(file), "utf8")) as Ed25519PrivateJwk;
  } catch (error) {
    throw new CliFailure(`${file} cannot be read as a holder's key: ${fileProblemOf(error)}.`, { reason: "holder-key", cause: error });
  }
}

function parseChallenge(given: string): string {
  // A leading hyphen arrives as a minus sign: see run.ts.
  const text = given.replace(/^−/, "-");
  if (!/^[\w-]{22}$/.test(text)) throw new InvalidArgumentError("write the challenge of a terminal, 22 letters, digits, - and _.");
  return text;
}
