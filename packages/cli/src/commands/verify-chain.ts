import { readFile } from "node:fs/promises";
import { fromJsonString } from "@bufbuild/protobuf";
import { type ChainFault, type IssuerKeyPeriod, readIssuerKeySet, verifyChain } from "@petak/credential";
import { type GetCustodyChainResponse, GetCustodyChainResponseSchema } from "@petak/protocol";
import type { Command } from "commander";
import { printable } from "../chain/printable.ts";
import { showLinks } from "../chain/show-links.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";

interface VerifyOptions {
  keys?: string;
  continues?: string;
}

/** How long the gateway has to say its keys, in ms. */
const keysTimeoutMs = 10_000;

/** `petak verify-chain`: whether a chain of receipts is whole and true, by nothing but the issuer's keys. */
export const registerVerifyChain: CommandModule = (command, context) => {
  command
    .argument("<file>", "what GetCustodyChain answered, as JSON: `petak chain res_… --out FILE` writes it")
    .option("--keys <file>", "the issuer's keys, past and present; with it nobody is asked (default: those that the gateway publishes)")
    .option("--continues <file>", "the chain that this one continues, after Redirect")
    .action(async (file: string, options: VerifyOptions, running: Command) => {
      const session = context.session(running);
      const chain = await readChain(session, file);
      const continued = options.continues === undefined ? undefined : await readChain(session, options.continues);
      const issuerKeys = options.keys === undefined ? await publishedKeys(session) : await readKeys(session, options.keys);
      const verdict = await verifyChain(chain, { issuerKeys, ...(continued && { continued }) });
      tell(session, file, chain, verdict.faults);
    });
};

function tell({ output }: Session, file: string, { reservation, receipts }: GetCustodyChainResponse, faults: readonly ChainFault[]): void {
  const { colors } = output;
  showLinks(output, receipts);
  const result = { reservationId: reservation?.reservationId ?? "", links: receipts.length, faults };
  if (faults.length === 0) {
    output.json(result);
    const links = receipts.length === 1 ? "1 link" : `${receipts.length} links`;
    output.print(`${colors.green("Whole and true:")} the chain of ${printable(result.reservationId)}, ${links}.`);
    return;
  }
  for (const { code, link, message } of faults) {
    output.print(`${colors.red(link === undefined ? "chain" : `link ${link}`)}  ${printable(message)}  ${colors.dim(`[${code}]`)}`);
  }
  const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
  throw new CliFailure(`${file} has ${count}: it is not the chain that was signed.`, { reason: "chain-faulty", result });
}

async function readChain(session: Session, file: string): Promise<GetCustodyChainResponse> {
  const text = await read(session, file);
  try {
    // A later version may say more, which is not signed in this one.
    return fromJsonString(GetCustodyChainResponseSchema, text, { ignoreUnknownFields: true });
  } catch (error) {
    throw new CliFailure(`${file} is not what GetCustodyChain answers: ${(error as Error).message}.`, { reason: "no-chain", cause: error });
  }
}

async function readKeys(session: Session, file: string): Promise<IssuerKeyPeriod[]> {
  return await keysIn(file, await read(session, file));
}

async function publishedKeys({ url, output }: Session): Promise<IssuerKeyPeriod[]> {
  const address = `${url}/.well-known/petak/issuer-keys.json`;
  let text: string;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(keysTimeoutMs), redirect: "error" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    text = await answer.text();
  } catch (error) {
    throw new CliFailure(`The issuer's keys could not be had from ${address} (${(error as Error).message}). Give a copy with --keys.`, {
      exitCode: 3,
      reason: "unreachable",
      cause: error,
    });
  }
  output.note(`The issuer's keys are those that ${url} publishes now.`);
  return await keysIn(address, text);
}

async function keysIn(name: string, text: string): Promise<IssuerKeyPeriod[]> {
  try {
    return await readIssuerKeySet(JSON.parse(text));
  } catch (error) {
    throw new CliFailure(`${name} has no issuer's keys: ${(error as Error).message}.`, { reason: "no-keys", cause: error });
  }
}

async function read({ resolve }: Session, file: string): Promise<string> {
  try {
    return await readFile(resolve(file), "utf8");
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
