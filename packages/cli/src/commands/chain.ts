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

const reservationArgument = "the reservation's id, res_…";

/** `petak chain`: the events and signed receipts of one parcel, to look at or to keep. */
export const registerChain: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument)
    .option("--out <file>", "where to write what the gateway answers, for `petak verify-chain`; it must not exist")
    .option("--events", "show every event too, not only the hand-overs of which there are receipts")
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
      if (out !== undefined) session.output.print(`${out} has it all. Verify it with \`petak verify-chain ${out}\`.`);
    });
};

/** `petak countersign`: the caller's own signature under a hand-over in which it gave or received the parcel. */
export const registerCountersign: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument)
    .argument("<number>", "which receipt of its chain", parseNumber)
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
      if (receipt === undefined) throw new CliFailure("The gateway took the signature but did not say where it stands.");
      session.output.json(toJson(ReceiptSchema, receipt));
      session.output.print(`Receipt ${number} is countersigned with ${session.output.colors.cyan(keyId)}, in receipt ${receipt.number}.`);
    });
};

/** Writes what is to prove something, and never over what is there. */
async function keep({ resolve }: Session, out: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(out), text, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CliFailure(`${out} exists already, and a proof is never written over. Name another file.`);
    throw new CliFailure(`${out} could not be written: ${message}.`, { cause: error });
  }
}

function hashOf({ receipts }: GetCustodyChainResponse, number: number): string {
  const receipt = receipts.find((candidate) => candidate.number === number);
  if (receipt === undefined) throw usageFailure(`The chain has ${receipts.length} receipts, and none with the number ${number}.`);
  return receipt.hash;
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("write a number from 1.");
  return number;
}
