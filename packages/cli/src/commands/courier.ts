import type { HandoverDirection } from "@petak/credential";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { certifyDriver, makeDriverKey } from "../handover/driver-key.ts";
import { type HandoverOptions, parseCondition, signHandover } from "../handover/exchange.ts";
import { fetchManifest, manifestText } from "../handover/manifest.ts";
import { writeNew } from "../handover/write-new.ts";
import { idOf } from "./id-argument.ts";

const examples = `
Examples:
  petak courier driver-key driver.jwk                                  on the driver's device; prints the public half
  petak --key courier.json courier certify PUBLIC-KEY --out driver.cert   in the office, for a day
  petak --key courier.json courier manifest site_… --out shop.json     what is to be handed over there
  petak courier handover --manifest shop.json --driver-key driver.jwk --certificate driver.cert --scan

Exit codes: 0 signed; 1 the lists differ, or nothing was signed; 2 usage; 3 no gateway.`;

/** `petak courier`: what a courier's office and a driver's device do at a hand-over of several parcels. docs/handover.md specifies it. */
export const registerCourier: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  command
    .command("driver-key")
    .description("on a driver's device: make its key, and print the public half for `certify`; the key stays in the file")
    .argument("<file>", "a new file for the key, which only its owner can read")
    .action(async (file: string, _options: object, running: Command) => await makeDriverKey(context.session(running), file));

  command
    .command("certify")
    .description("in the office: let a driver's key sign hand-over lists, with the key of --key and without calling the gateway")
    .argument("<public-key>", "what `driver-key` printed, 43 characters", parsePublicKey)
    .option("--site <site>", "the only site at which it is good, site_… (default: every site)", idOf("site"), "")
    .option("--hours <hours>", "for how long, 1 to 36", parseHours, 16)
    .option("--out <file>", "a new file for the certificate (default: it is printed)")
    .action(async (driverKey: string, options: { site: string; hours: number; out?: string }, running: Command) => {
      await certifyDriver(context.session(running), driverKey, options);
    });

  command
    .command("manifest")
    .description("save which of your parcels are to be handed over at a site, for a driver without the network")
    .argument("<site>", "site_…", idOf("site"))
    .option("--direction <direction>", "in: you bring them; out: you fetch them", parseDirection, "IN")
    .requiredOption("--out <file>", "a new file")
    .action(async (siteId: string, { direction, out }: { direction: HandoverDirection; out: string }, running: Command) => {
      const session = context.session(running);
      const manifest = await fetchManifest(session, siteId, direction);
      await writeNew(session, out, manifestText(manifest));
      session.output.json({ file: out, parcels: manifest.parcels.length });
      session.output.print(`${out} has ${manifest.parcels.length} parcels.`);
    });

  command
    .command("handover")
    .description("compare your parcels with the list that a site's code is about, sign it, and show the code in answer")
    .argument("[code]", "the site's code, as its picture says")
    .option("--scan", "read the code from standard input, where a scanner writes it", false)
    .option("--manifest <file>", "your parcels, as `manifest` saved them (default: the gateway is asked, with the key of --key)")
    .option("--label <code>", "a parcel that has no reservation, by its label; may be repeated", collect, [])
    .option(
      "--condition <parcel=CONDITION.REASON>",
      "where the code is too short to say it: what the clerk says of a parcel, e.g. res_…=DAMAGED.WET; may be repeated",
      (text: string, earlier: ReturnType<typeof parseCondition>[]) => [...earlier, parseCondition(text)],
      [],
    )
    .option("--agree", "sign also if parcels are damaged, refused or missing at the site", false)
    .requiredOption("--driver-key <file>", "the driver's key, as `driver-key` made it")
    .requiredOption("--certificate <file>", "its certificate, as `certify` made it")
    .option("--receipt <file>", "a new file for what both sides keep (default: handover-HASH.json)")
    .action(async (code: string | undefined, options: HandoverOptions, running: Command) => {
      await signHandover(context.session(running), code, options);
    });
};

function parsePublicKey(given: string): string {
  // A leading hyphen arrives as a minus sign: see run.ts.
  const text = given.replace(/^−/, "-");
  if (!/^[\w-]{43}$/.test(text))
    throw new InvalidArgumentError("write what `petak courier driver-key` printed, 43 letters, digits, - and _.");
  return text;
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 1 || hours > 36) throw new InvalidArgumentError("write a whole number from 1 to 36.");
  return hours;
}

function parseDirection(text: string): HandoverDirection {
  const direction = text.toUpperCase();
  if (direction !== "IN" && direction !== "OUT") throw new InvalidArgumentError("write in or out.");
  return direction;
}

function collect(text: string, earlier: string[]): string[] {
  return [...earlier, text];
}
