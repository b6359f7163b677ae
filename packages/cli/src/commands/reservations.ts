import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import { hasEnded, isOverdue, limitInForce } from "@petak/lifecycle";
import { ListReservationsRequestSchema, ListReservationsResponseSchema, type Reservation, ReservationState } from "@petak/protocol";
import { type Command, InvalidArgumentError, Option } from "commander";
import { isUnkeepable } from "../chain/site-change.ts";
import type { CommandModule } from "../command.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";

const stateNames = Object.entries(ReservationState)
  .filter(([, state]) => state !== ReservationState.UNSPECIFIED)
  .map(([name, state]) => [wordOf(name), state] as const);

const openStates = stateNames.map(([, state]) => state).filter((state) => !hasEnded({ state }));

/** Reservations per call: the protocol's limit. */
const pageSize = 500;

interface Options {
  overdue: boolean;
  site: string;
  state?: ReservationState[];
  open: boolean;
  reference: string;
  before?: Date;
  limit: number;
}

/** `petak reservations`: lists the caller's reservations, or those at its sites. */
export const registerReservations: CommandModule = (command, context) => {
  command
    .option("--overdue", "only those with an overdue parcel", false)
    .option("--site <site>", "only those at this site, site_…", idOf("site"), "")
    .option("--state <state>", `only in these states: ${stateNames.map(([name]) => name).join(", ")}; several with commas`, collectStates)
    .addOption(new Option("--open", "only those that have not ended").default(false).conflicts("state"))
    .option("--reference <text>", "only those with this partner reference", "")
    .option(
      "--before <time>",
      "only those whose present deadline is before this, e.g. 2026-11-05T21:30+08:00 or +3h",
      instantParser(context.io),
    )
    .option("--limit <count>", "how many at most", parseLimit, 1000)
    .action(async ({ overdue, site, state, open, reference, before, limit }: Options, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const question = create(ListReservationsRequestSchema, {
        overdue,
        siteId: site,
        states: state ?? (open ? openStates : []),
        partnerReference: reference,
        ...(before && { deadlineBefore: timestampFromDate(before) }),
      });
      const found: Reservation[] = [];
      let cursor = "";
      do {
        const page = await client.reservations.listReservations({
          ...question,
          cursor,
          pageSize: Math.min(pageSize, limit - found.length),
        });
        found.push(...page.reservations);
        cursor = page.nextCursor;
      } while (cursor !== "" && found.length < limit);
      const { output } = session;
      output.json(
        toJson(ListReservationsResponseSchema, create(ListReservationsResponseSchema, { reservations: found, nextCursor: cursor })),
      );
      if (found.length === 0) output.print("No reservations.");
      else if (!output.isJson) {
        const names = await operatorNames(client, found);
        output.table(
          [
            { title: "RESERVATION", paint: output.colors.cyan },
            { title: "STATE" },
            { title: "UNTIL" },
            { title: "SITE" },
            { title: "OPERATOR", flexible: true },
            { title: "DOOR" },
            { title: "REFERENCE", flexible: true },
          ],
          found.map((reservation) => toRow(reservation, names)),
        );
      }
      if (cursor !== "") output.print(`There may be more: --limit is ${limit}.`);
    });
};

/** The names of the reservations' operators, by their ids. */
async function operatorNames({ directory }: PetakClient, reservations: readonly Reservation[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(reservations.map(({ operatorId }) => operatorId))];
  return new Map(
    await Promise.all(
      ids.map(async (operatorId) => [operatorId, (await directory.getOperator({ operatorId })).operator?.displayName ?? ""] as const),
    ),
  );
}

function toRow(reservation: Reservation, names: ReadonlyMap<string, string>): string[] {
  const { reservationId, state, siteId, operatorId, compartmentId, heldCompartmentId, partnerReference } = reservation;
  const [name = String(state)] = stateNames.find(([, each]) => each === state) ?? [];
  const until = limitInForce(reservation);
  return [
    reservationId,
    `${isOverdue(reservation) ? "overdue" : name}${isUnkeepable(reservation) ? ", cannot be kept" : ""}`,
    until === undefined ? "" : `${timestampDate(until).toISOString().slice(0, 16)}Z`,
    siteId,
    names.get(operatorId) || operatorId,
    compartmentId || heldCompartmentId,
    partnerReference,
  ];
}

function wordOf(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

function collectStates(text: string, earlier: ReservationState[] = []): ReservationState[] {
  const states = text.split(",").map((word) => {
    const [, state] = stateNames.find(([name]) => name === word.trim().toLowerCase()) ?? [];
    if (state === undefined) throw new InvalidArgumentError(`write one of ${stateNames.map(([name]) => name).join(", ")}.`);
    return state;
  });
  return [...new Set([...earlier, ...states])];
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000) throw new InvalidArgumentError("write a number from 1 to 1000000.");
  return limit;
}
