import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { toJson } from "@bufbuild/protobuf";
import { countersignatureText } from "@petak/credential";
import { type GetCustodyChainResponse, GetCustodyChainResponseSchema, ReceiptSchema } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import { showEvents } from "../chain/show-events.ts";
import { showLinks } from "../chain/show-links.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { idOf } from "./id-argument.ts";

const reservationArgument = "the reservation's id, res_…";

/** `petak chain`: shows or saves the events and signed receipts of one parcel. */
export const registerChain: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .option("--out <file>", "save the gateway's response here, for `petak verify-chain`; the file must not exist")
    .option("--events", "also show all events, not only hand-overs with receipts")
    .action(async (reservationId: string, { out, events = false }: { out?: string; events?: boolean }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const chain = await client.custody.getCustodyChain({ reservationId });
      const json = toJson(GetCustodyChainResponseSchema, chain);
      if (out !== undefined) await keep(session, out, `${JSON.stringify(json, undefined, 2)}\n`);
      session.output.json(json);
      if (events) {
        showEvents(session.output, chain.events);
        session.output.print();
      }
      showLinks(session.output, chain.receipts);
      if (out !== undefined) session.output.print(`Saved to ${out}. Verify it with \`petak verify-chain ${out}\`.`);
    });
};

/** `petak countersign`: countersigns the receipt of a hand-over in which the caller gave or received the parcel. */
export const registerCountersign: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .argument("<number>", "number of the receipt in the chain", parseNumber)
    .action(async (reservationId: string, number: number, _options: object, running: Command) => {
      const session = context.session(running);
      const { client, signer } = await session.connect();
      const receiptHash = hashOf(await client.custody.getCustodyChain({ reservationId }), number);
      const { keyId, participantId } = signer;
      const signature = await signer.sign(countersignatureText({ keyId, participantId, receiptHash }));
      const { receipt } = await client.custody.countersignReceipt({
        requestId: randomUUID(),
        reservationId,
        number,
        receiptHash,
        keyId,
        signature,
      });
      if (receipt === undefined) throw new CliFailure("The gateway accepted the signature, but its response lacks the receipt.");
      session.output.json(toJson(ReceiptSchema, receipt));
      session.output.print(`Receipt ${number} is countersigned with ${session.output.colors.cyan(keyId)}, in receipt ${receipt.number}.`);
    });
};

/** Writes evidence to a new file. Never overwrites. */
async function keep({ resolve }: Session, out: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(out), text, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CliFailure(`${out} already exists, and evidence is never overwritten. Give another file.`);
    throw new CliFailure(`${out} could not be written: ${message}.`, { cause: error });
  }
}

function hashOf({ receipts }: GetCustodyChainResponse, number: number): string {
  const receipt = receipts.find((candidate) => candidate.number === number);
  if (receipt === undefined) throw usageFailure(`The chain has ${receipts.length} receipts, but none with number ${number}.`);
  return receipt.hash;
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("write a number, 1 or greater.");
  return number;
}
