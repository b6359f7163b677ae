import { readFile } from "node:fs/promises";
import { fromJsonString } from "@bufbuild/protobuf";
import { type ChainStatementClaims, type ChainVerdict, type IssuerKeyPeriod, readIssuerKeySet, verifyChain } from "@petak/credential";
import { type GetCustodyChainResponse, GetCustodyChainResponseSchema } from "@petak/protocol";
import type { Command } from "commander";
import { showLinks } from "../chain/show-links.ts";
import type { CommandModule } from "../command.ts";
import { ExitCode } from "../exit-code.ts";
import { CliFailure } from "../failure.ts";
import { unreadableFile } from "../file-failure.ts";
import type { Session } from "../session.ts";

interface VerifyOptions {
  keys?: string;
  continues?: string;
}

/** Timeout for the gateway's keys, in ms. */
const keysTimeoutMs = 10_000;

/** `petak verify-chain`: verifies that a chain of receipts is complete and authentic, with the issuer's keys only. */
export const registerVerifyChain: CommandModule = (command, context) => {
  command
    .argument("<file>", "response of GetCustodyChain as JSON, as saved by `petak chain --out FILE`")
    .option("--keys <file>", "the issuer's keys, past and present; works offline (default: those that the gateway publishes)")
    .option("--continues <file>", "the chain that this one continues after a redirect")
    .action(async (file: string, options: VerifyOptions, running: Command) => {
      const session = context.session(running);
      const chain = await readChain(session, file);
      const continued = options.continues === undefined ? undefined : await readChain(session, options.continues);
      const issuerKeys = options.keys === undefined ? await publishedKeys(session) : await readKeys(session, options.keys);
      const verdict = await verifyChain(chain, { issuerKeys, ...(continued && { continued }) });
      tell(session, file, chain, verdict);
    });
};

function tell({ output }: Session, file: string, { reservation, receipts }: GetCustodyChainResponse, verdict: ChainVerdict): void {
  const { colors } = output;
  const { faults, statement } = verdict;
  showLinks(output, receipts);
  const completeAsOf = faults.length > 0 || statement === undefined ? null : timeText(statement.as_of_ms);
  const result = { reservationId: reservation?.reservationId ?? "", links: receipts.length, completeAsOf, faults };
  for (const { code, link, message } of faults) {
    output.print(`${colors.red(link === undefined ? "chain" : `link ${link}`)}  ${message}  ${colors.dim(`[${code}]`)}`);
  }
  if (faults.length > 0) {
    const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
    throw new CliFailure(`${file} has ${count}: it is not the chain that was signed.`, { reason: "chain-faulty", result });
  }
  const links = receipts.length === 1 ? "1 link" : `${receipts.length} links`;
  const what = `the chain of ${result.reservationId}, ${links}`;
  if (statement === undefined) {
    output.print(`${colors.yellow("Authentic, but not shown to be complete:")} ${what}.`);
    throw new CliFailure(
      `${file} has no statement, so links and events may be missing at the end. \`petak chain\` fetches the chain with a statement.`,
      { exitCode: ExitCode.notShown, reason: "chain-not-shown-complete", result },
    );
  }
  output.json(result);
  output.print(`${colors.green("Complete and authentic:")} ${what}, complete as of ${completeAsOf}.${unlisted(statement)}`);
}

/** A sentence about events that the gateway does not list, if there are any. */
function unlisted({ first_event, events }: ChainStatementClaims): string {
  return first_event > 1 ? ` Of its ${events} events, only those from number ${first_event} on are listed.` : "";
}

/** A time in ms as text; out of range, the number itself. */
function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? `${atMs} ms` : date.toISOString();
}

async function readChain(session: Session, file: string): Promise<GetCustodyChainResponse> {
  const text = await read(session, file);
  try {
    // Unknown fields of later versions are not covered by this version's signatures.
    return fromJsonString(GetCustodyChainResponseSchema, text, { ignoreUnknownFields: true });
  } catch (error) {
    throw new CliFailure(`${file} is not a response of GetCustodyChain: ${(error as Error).message}.`, {
      reason: "no-chain",
      cause: error,
    });
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
    throw new CliFailure(`The issuer's keys could not be fetched from ${address} (${causeOf(error)}). Give a copy with --keys.`, {
      exitCode: 3,
      reason: "unreachable",
      cause: error,
    });
  }
  output.note(`Using the issuer's keys that ${url} publishes now.`);
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
    throw unreadableFile(file, error);
  }
}

/** Why a fetch failed: its error says only that it did, and its cause has the code of the system. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
}
