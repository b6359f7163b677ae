import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { GetBundleResponseSchema, PutBundleResponseSchema, parseBundleId, type Reservation } from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import type { Output } from "../terminal/output.ts";
import { idsOf } from "./id-argument.ts";
import { stateWords } from "./reservation-text.ts";

const examples = `
Examples:
  petak bundle make res_… res_…              the doors open in this order
  petak bundle set bdl_… res_… res_… res_…   a reservation that is left out leaves the bundle
  petak credentials issue bdl_… --pin        one code for all its parcels`;

const bundleArgument = "the bundle, bdl_…";
const reservationsArgument = "all its reservations, res_…, at one site, in the order in which their doors open; at most 20";

/** `petak bundle`: several parcels at one site that are collected together. */
export const registerBundle: CommandModule = (command, context) => {
  command.addHelpText("after", examples);

  async function put(running: Command, bundleId: string, reservationIds: string[]): Promise<void> {
    const session = context.session(running);
    const { client } = await session.connect();
    const response = await client.reservations.putBundle({ requestId: randomUUID(), bundleId, reservationIds });
    session.output.json(toJson(PutBundleResponseSchema, response));
    const { bundle } = response;
    session.output.print(`${session.output.colors.cyan(bundle?.bundleId ?? bundleId)} has ${bundle?.reservationIds.join(", ")}.`);
  }

  command
    .command("make")
    .description("make a bundle of reservations of yours")
    .argument("<reservation...>", reservationsArgument, idsOf("res"))
    .action((reservationIds: string[], _options: object, running: Command) => put(running, "", reservationIds));

  command
    .command("set")
    .description("set the reservations of a bundle")
    .argument("<bundle>", bundleArgument, parseBundle)
    .argument("<reservation...>", reservationsArgument, idsOf("res"))
    .action((bundleId: string, reservationIds: string[], _options: object, running: Command) => put(running, bundleId, reservationIds));

  command
    .command("show")
    .description("show a bundle and its reservations")
    .argument("<bundle>", bundleArgument, parseBundle)
    .action(async (bundleId: string, _options: object, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const response = await client.reservations.getBundle({ bundleId });
      output.json(toJson(GetBundleResponseSchema, response));
      output.print(`${output.colors.cyan(bundleId)} at ${response.bundle?.siteId}`);
      printMembers(output, response.reservations);
    });
};

function printMembers(output: Output, reservations: readonly Reservation[]): void {
  output.table(
    [{ title: "RESERVATION", paint: output.colors.cyan }, { title: "STATE" }, { title: "DOOR" }, { title: "REFERENCE", flexible: true }],
    reservations.map(({ reservationId, state, compartmentId, heldCompartmentId, partnerReference }) => [
      reservationId,
      stateWords.of(state),
      compartmentId || heldCompartmentId,
      partnerReference,
    ]),
  );
}

function parseBundle(text: string): string {
  if (parseBundleId(text) === undefined) throw new InvalidArgumentError("write the id of a bundle, bdl_….");
  return text;
}
