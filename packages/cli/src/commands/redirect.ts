import { create, toJson } from "@bufbuild/protobuf";
import { CancellationReason, RedirectRequestSchema, RedirectResponseSchema, validateMessage } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { addSiteRequirementOptions, type RequirementOptions, toRequirements } from "./find-requirements.ts";
import { idOf } from "./id-argument.ts";
import {
  addPlaceOptions,
  type OverflowOptions,
  type Place,
  type PlaceOptions,
  parsePlace,
  placeArgument,
  toOverflowPolicy,
  toPlace,
} from "./place-options.ts";
import { requestIdOption, withRequestId } from "./request-id.ts";
import { printReservation, reservationIn } from "./reservation-text.ts";
import { wordsOf } from "./words.ts";

const reasons = wordsOf(CancellationReason);

interface RedirectOptions extends RequirementOptions, PlaceOptions, OverflowOptions {
  reason: CancellationReason;
  requestId?: string;
}

/** `petak redirect`: moves a reservation to another place before the deposit. */
export const registerRedirect: CommandModule = (command, context) => {
  addPlaceOptions(addSiteRequirementOptions(command.argument("<reservation>", "the reservation's id, res_…", idOf("res")), context))
    .argument("<place>", placeArgument, parsePlace)
    .requiredOption("--reason <reason>", reasons.all.join(", "), reasons.parse)
    .addOption(requestIdOption())
    .addHelpText(
      "after",
      "\nExamples:\n  petak redirect res_… site_… --reason consumer-request\n  petak redirect res_… 1.3521,103.8198 --radius 2000 --reason site-problem",
    )
    .action(async (reservationId: string, place: Place, options: RedirectOptions, running: Command) => {
      const session = context.session(running);
      const { output } = session;
      const overflowPolicy = toOverflowPolicy(options);
      const redirect = async (requestId: string) => {
        const request = create(RedirectRequestSchema, {
          requestId,
          reservationId,
          place: toPlace(place, options),
          requirements: toRequirements(options),
          includeUnknown: options.includeUnknown === true,
          reason: options.reason,
          ...(overflowPolicy && { overflowPolicy }),
        });
        validateMessage(RedirectRequestSchema, request);
        const { client } = await session.connect();
        return await client.reservations.redirect(request);
      };
      const response = await withRequestId(session, options, redirect, { "open-at": options.openAt });
      output.json(toJson(RedirectResponseSchema, response));
      printReservation(output, reservationIn(response), response.site?.name);
      if (response.redirected !== undefined) output.print(`It replaces ${response.redirected.reservationId}.`);
    });
};
