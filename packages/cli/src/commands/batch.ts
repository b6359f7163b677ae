import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import {
  type BatchCall,
  BatchCallSchema,
  BatchRequestSchema,
  type BatchResult,
  BatchResultSchema,
  PetakError,
  validateMessage,
} from "@petak/protocol";
import type { Command } from "commander";
import { batchesOf } from "../batches.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { unreadableFile } from "../file-failure.ts";
import { writeNew } from "../handover/write-new.ts";
import type { Session } from "../session.ts";
import { stateWords } from "./reservation-text.ts";

/** Calls of a batch, the protocol's greatest. */
const batchSize = 100;

const help = `
The file has one call a line, or an array of them, each as JSON:
  {"reserve": {"siteId": "site_…", "parcel": {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}}}
  {"confirm": {"reservationId": "res_…"}}
  {"cancel": {"reservationId": "res_…", "reason": "CANCELLATION_REASON_ORDER_CANCELLED"}}
Calls: reserve, confirm, extend, cancel, redirect, issueCredential, getReservation. One without a requestId gets one.

Examples:
  petak batch round.jsonl --save sent.jsonl      after a broken connection: petak batch sent.jsonl
  jq -c '{getReservation: {reservationId: .}}' ids.json | petak batch - --json

Exit codes: 0 every call succeeded; 1 some did not; 2 usage; 3 no gateway.`;

/** `petak batch`: many calls about reservations at once, each with its own result. */
export const registerBatch: CommandModule = (command, context) => {
  command
    .argument("<file>", "a file of calls, or - for standard input")
    .option("--save <file>", "before they are sent, save the calls with their request ids to a new file; sent again, none is made twice")
    .addHelpText("after", help)
    .action(async (file: string, { save }: { save?: string }, running: Command) => {
      const session = context.session(running);
      const calls = await readCalls(session, file);
      const lines = calls.map((call) => JSON.stringify(toJson(BatchCallSchema, call)));
      if (save !== undefined) await writeNew(session, save, `${lines.join("\n")}\n`);
      const { client } = await session.connect();
      const results: BatchResult[] = [];
      for await (const batch of batchesOf(calls, batchSize)) {
        results.push(...(await client.reservations.batch({ calls: batch })).results);
      }
      printResults(session, calls, results);
    });
};

async function readCalls(session: Session, file: string): Promise<BatchCall[]> {
  const content = file === "-" ? await text(session.io.stdin()) : await readFileOf(session, file);
  const calls = parseValues(content, file).map((value, index) => toCall(value, `Call ${index + 1} of ${file}`));
  if (calls.length === 0) throw usageFailure(`${file} has no calls. \`petak batch --help\` shows how they are written.`);
  return calls;
}

async function readFileOf({ resolve }: Session, file: string): Promise<string> {
  return await readFile(resolve(file), "utf8").catch((cause: Error) => {
    throw unreadableFile(file, cause);
  });
}

/** The values of an array, or of lines. */
function parseValues(content: string, file: string): JsonValue[] {
  try {
    if (content.trimStart().startsWith("[")) return JSON.parse(content) as JsonValue[];
    const lines = content.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => JSON.parse(line) as JsonValue);
  } catch (cause) {
    throw usageFailure(`${file} has neither one call a line nor an array of calls: ${(cause as Error).message}.`);
  }
}

function toCall(value: JsonValue, which: string): BatchCall {
  try {
    const call = fromJson(BatchCallSchema, value);
    const request = call.call.value;
    if (request !== undefined && "requestId" in request && request.requestId === "") request.requestId = randomUUID();
    validateMessage(BatchRequestSchema, create(BatchRequestSchema, { calls: [call] }));
    return call;
  } catch (error) {
    throw usageFailure(
      `${which} is refused, so that none is sent: ${error instanceof PetakError ? error.message : (error as Error).message}.`,
    );
  }
}

function printResults({ output }: Session, calls: readonly BatchCall[], results: readonly BatchResult[]): void {
  const json = results.map((result) => toJson(BatchResultSchema, result));
  output.table(
    [
      { title: "CALL", align: "right" },
      { title: "WHAT" },
      { title: "RESERVATION", paint: output.colors.cyan },
      { title: "RESULT", flexible: true },
    ],
    results.map((result, index) => [String(index + 1), calls[index]?.call.case ?? "", reservationOf(result), outcomeOf(result)]),
  );
  const failed = results.filter(({ result }) => result.case === "error").length;
  if (failed > 0) {
    const message = `${failed} of ${results.length} ${results.length === 1 ? "call" : "calls"} failed.`;
    throw new CliFailure(message, { reason: "batch", result: { results: json } });
  }
  output.json({ results: json });
}

function reservationOf({ result: { value } }: BatchResult): string {
  return value !== undefined && "reservation" in value ? (value.reservation?.reservationId ?? "") : "";
}

function outcomeOf({ result }: BatchResult): string {
  if (result.case === "error") return `${result.value.reason}: ${result.value.message}`;
  const { value } = result;
  if (value !== undefined && "reservation" in value && value.reservation !== undefined) return stateWords.of(value.reservation.state);
  return "done; --json shows the credential";
}
