import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { HoldKind, Purpose, ReservationState, ReserveRequestSchema, ReserveResponseSchema, validateMessage } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandModule } from "../command.ts";
import { parseDuration } from "./duration.ts";
import { addRequirementOptions, type RequirementOptions, toRequirements } from "./find-requirements.ts";
import { collectText } from "./options.ts";
import { addParcelOptions, type ParcelOptions, parseMoney, toParcel } from "./parcel-options.ts";
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

const purposes = wordsOf(Purpose);

interface ReserveOptions extends ParcelOptions, RequirementOptions, PlaceOptions, OverflowOptions {
  purpose?: Purpose;
  reference: string;
  hold?: Duration;
  hard?: boolean;
  choice: string;
  requestId?: string;
}

const examples = `
Examples:
  petak reserve 1.3521,103.8198 --parcel 300x200x150 --reference order-118
  petak reserve site_… --mass 800 --hold 30m --label 00340434161094042557
  petak reserve site_… --elsewhere 1500 --wait 12h --fallback ask-consumer

The hold ends unless it is confirmed: petak confirm res_…`;

/** `petak reserve`: holds a place at a site, or at the nearest suitable one. */
export const registerReserve: CommandModule = (command, context) => {
  addPlaceOptions(addRequirementOptions(addParcelOptions(command), context))
    .argument("<place>", placeArgument, parsePlace)
    .option("--label <code>", "a code on the parcel's label, as a scanner reads it; up to three times", collectText)
    .option("--cash-due <amount>", 'what the collector pays at the site, e.g. "12.50 SGD"; with --needs cash-on-delivery', parseMoney)
    .option("--purpose <purpose>", `what the place is for: ${purposes.all.join(", ")} (default: delivery)`, purposes.parse)
    .option("--reference <text>", "your own reference of the parcel, without personal data", "")
    .option("--hold <duration>", "how long to hold the place until it is confirmed, e.g. 30m (default: 15m)", parseDuration)
    .option("--hard", "hold one named compartment")
    .option("--choice <choice>", "the signed choice of the site, as `petak sites check --json` gives it", "")
    .addOption(requestIdOption())
    .addHelpText("after", examples)
    .action(async (place: Place, options: ReserveOptions, running: Command) => {
      const session = context.session(running);
      const { output } = session;
      const reserve = async (requestId: string) => {
        const request = create(ReserveRequestSchema, toRequest(requestId, place, options));
        validateMessage(ReserveRequestSchema, request);
        const { client } = await session.connect();
        return await client.reservations.reserve(request);
      };
      const response = await withRequestId(session, options, reserve, { "open-at": options.openAt });
      output.json(toJson(ReserveResponseSchema, response));
      const reservation = reservationIn(response);
      printReservation(output, reservation, response.site?.name);
      if (reservation.state === ReservationState.HELD) output.print(`Confirm it: petak confirm ${reservation.reservationId}`);
    });
};

function toRequest(requestId: string, place: Place, options: ReserveOptions): MessageInitShape<typeof ReserveRequestSchema> {
  const { purpose, reference, hold, hard, choice, includeUnknown } = options;
  const overflowPolicy = toOverflowPolicy(options);
  return {
    requestId,
    place: toPlace(place, options),
    parcel: toParcel(options),
    purpose: purpose ?? Purpose.UNSPECIFIED,
    partnerReference: reference,
    ...(hold && { holdDuration: hold }),
    requirements: toRequirements(options),
    includeUnknown: includeUnknown === true,
    holdKind: hard === true ? HoldKind.HARD : HoldKind.UNSPECIFIED,
    choice,
    ...(overflowPolicy && { overflowPolicy }),
  };
}
