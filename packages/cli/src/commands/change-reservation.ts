import { toJson } from "@bufbuild/protobuf";
import { type Duration, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  CancelResponseSchema,
  ConfirmResponseSchema,
  DoubtOutcome,
  ExtendResponseSchema,
  GetReservationResponseSchema,
  ResolveDoubtResponseSchema,
} from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { parseDuration } from "./duration.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";
import { collectText } from "./options.ts";
import { requestIdOption, withRequestId } from "./request-id.ts";
import { printReservation, reservationIn } from "./reservation-text.ts";
import { printTerms } from "./terms-text.ts";
import { wordsOf } from "./words.ts";

const reservationArgument = "the reservation's id, res_…";
const reasons = wordsOf(CancellationReason);
const outcomes = wordsOf(DoubtOutcome);

interface Repeatable {
  requestId?: string;
}

/** `petak reservation`: shows one reservation and the terms on which it was made. */
export const registerReservation: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .addHelpText("after", "\nExample: petak reservation res_…")
    .action(async (reservationId: string, _options: object, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const response = await client.reservations.getReservation({ reservationId });
      session.output.json(toJson(GetReservationResponseSchema, response));
      printReservation(session.output, reservationIn(response));
      if (response.terms !== undefined) printTerms(session.output, response.terms);
    });
};

/** `petak confirm`: confirms a hold. */
export const registerConfirm: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .option("--within <duration>", "time for the deposit, from now, e.g. 6h (default: 24h, or less by the site's terms)", parseDuration)
    .option("--label <code>", "a code on the parcel's label, in place of those of `reserve`; up to three times", collectText, [])
    .addOption(requestIdOption())
    .addHelpText("after", "\nExample: petak confirm res_… --within 6h --label 00340434161094042557")
    .action(async (reservationId: string, options: Repeatable & { within?: Duration; label: string[] }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const { within, label: labelCodes } = options;
      const wanted = { reservationId, labelCodes, ...(within && { depositWithin: within }) };
      const response = await withRequestId(session, options, (requestId) => client.reservations.confirm({ requestId, ...wanted }));
      session.output.json(toJson(ConfirmResponseSchema, response));
      printReservation(session.output, reservationIn(response));
    });
};

/** `petak cancel`: cancels a reservation before the deposit. */
export const registerCancel: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .requiredOption("--reason <reason>", reasons.all.join(", "), reasons.parse)
    .addOption(requestIdOption())
    .addHelpText("after", "\nExample: petak cancel res_… --reason consumer-request")
    .action(async (reservationId: string, options: Repeatable & { reason: CancellationReason }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const { reason } = options;
      const response = await withRequestId(session, options, (requestId) =>
        client.reservations.cancel({ requestId, reservationId, reason }),
      );
      session.output.json(toJson(CancelResponseSchema, response));
      printReservation(session.output, reservationIn(response));
    });
};

/** `petak extend`: moves the present deadline of a reservation. */
export const registerExtend: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .requiredOption(
      "--until <time>",
      "the new deadline, e.g. 2026-11-05T21:30+08:00, or +2h from now; the gateway shortens it to the latest possible",
      instantParser(context.io),
    )
    .addOption(requestIdOption())
    .addHelpText("after", "\nExamples:\n  petak extend res_… --until +2h\n  petak extend res_… --until 2026-11-05T21:30+08:00")
    .action(async (reservationId: string, options: Repeatable & { until: Date }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const until = timestampFromDate(options.until);
      const response = await withRequestId(
        session,
        options,
        (requestId) => client.reservations.extend({ requestId, reservationId, until }),
        { until: options.until },
      );
      session.output.json(toJson(ExtendResponseSchema, response));
      printReservation(session.output, reservationIn(response));
    });
};

/** `petak resolve`: for operators, ends a doubt by what was found at the site. */
export const registerResolve: CommandModule = (command, context) => {
  command
    .argument("<reservation>", reservationArgument, idOf("res"))
    .requiredOption("--outcome <outcome>", `what was found: ${outcomes.all.join(", ")}`, outcomes.parse)
    .addOption(requestIdOption())
    .addHelpText("after", "\nExample: petak resolve res_… --outcome no-parcel")
    .action(async (reservationId: string, options: Repeatable & { outcome: DoubtOutcome }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const { outcome } = options;
      const response = await withRequestId(session, options, (requestId) =>
        client.reservations.resolveDoubt({ requestId, reservationId, outcome }),
      );
      session.output.json(toJson(ResolveDoubtResponseSchema, response));
      printReservation(session.output, reservationIn(response));
    });
};
