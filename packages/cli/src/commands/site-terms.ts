import { randomUUID } from "node:crypto";
import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { type MoneySchema, SetDefaultTermsResponseSchema, TermsSchema, UpsertSitesResponseSchema } from "@petak/protocol";
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { CliFailure } from "../failure.ts";
import { parseDuration } from "./duration.ts";
import { idsOf } from "./id-argument.ts";
import { parseMoney } from "./parcel-options.ts";

interface TermsOptions {
  freeStorage?: Duration;
  longestStorage?: Duration;
  dayFee?: MessageInitShape<typeof MoneySchema>;
  freeChange?: Duration;
  lateFee?: MessageInitShape<typeof MoneySchema>;
  missedAfter?: Duration;
  missedFee?: MessageInitShape<typeof MoneySchema>;
}

const examples = `
Examples:
  petak sites terms default --free-storage 3d --longest-storage 14d --day-fee "0.50 SGD"
  petak sites terms set site_… --free-storage 36h --missed-fee "2 SGD"
  petak sites terms set site_…                    it has no terms of its own any more
  petak sites show site_…                         the terms in force

What is not given has the default: a site's that of its operator, the operator's that of the gateway. Reservations keep the terms on which they were made.`;

/** `petak sites terms`: for operators, sets the terms of sites, or those of all sites without terms of their own. */
export function registerSiteTerms(command: Command, context: CommandContext): void {
  const terms = command
    .command("terms")
    .description("for operators: set the terms of sites, or the default of all your sites")
    .addHelpText("after", examples);

  addTermsOptions(terms.command("default"))
    .description("set the terms of all your sites that have none of their own; gateways apply them within 10 s")
    .action(async (options: TermsOptions, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const response = await client.directory.setDefaultTerms({ requestId: randomUUID(), terms: toTerms(options) });
      output.json(toJson(SetDefaultTermsResponseSchema, response));
      output.print("Set the default terms of your sites; they are in force within 10 s.");
    });

  addTermsOptions(terms.command("set"))
    .description("set the terms of sites of yours in place of their present ones; without options they have none of their own")
    .argument("<site...>", "site_…, at most 100", idsOf("site"))
    .action(async (siteIds: string[], options: TermsOptions, running: Command) => {
      const { output, connect } = context.session(running);
      const { client } = await connect();
      const wanted = toTerms(options);
      const own = Object.keys(wanted).length === 0 ? {} : { terms: create(TermsSchema, wanted) };
      const found = await Promise.all(siteIds.map((siteId) => client.directory.getSite({ siteId })));
      const sites = found.map(({ site }) => {
        if (site === undefined) throw new CliFailure("The gateway's response lacks the site.");
        const { terms: _replaced, ...facts } = site;
        return { ...facts, ...own };
      });
      const response = await client.directory.upsertSites({ requestId: randomUUID(), sites });
      output.json(toJson(UpsertSitesResponseSchema, response));
      output.print(`Set the terms of ${siteIds.join(", ")}.`);
    });
}

function addTermsOptions(command: Command): Command {
  return command
    .option("--free-storage <duration>", "storage without a fee after the deposit, e.g. 3d", parseDuration)
    .option("--longest-storage <duration>", "longest storage, with all extensions, e.g. 14d", parseDuration)
    .option("--day-fee <amount>", 'for each day of storage beyond that, e.g. "0.50 SGD"', parseMoney)
    .option(
      "--free-change <duration>",
      "cancelling and redirecting are free until this long before the deposit is due, e.g. 2h",
      parseDuration,
    )
    .option("--late-fee <amount>", "for cancelling or redirecting later", parseMoney)
    .option("--missed-after <duration>", "longest wait for the depositor, e.g. 24h", parseDuration)
    .option("--missed-fee <amount>", "for a parcel that was not deposited in time", parseMoney);
}

/** The terms for the given options: only what is given. */
function toTerms(options: TermsOptions): MessageInitShape<typeof TermsSchema> {
  const { freeStorage, longestStorage, dayFee, freeChange, lateFee, missedAfter, missedFee } = options;
  return {
    ...(freeStorage && { freeStorage }),
    ...(longestStorage && { longestStorage }),
    ...(dayFee && { extensionPricePerDay: dayFee }),
    ...(freeChange && { freeChangeBeforeDeposit: freeChange }),
    ...(lateFee && { lateChangeFee: lateFee }),
    ...(missedAfter && { noShowAfter: missedAfter }),
    ...(missedFee && { noShowFee: missedFee }),
  };
}
