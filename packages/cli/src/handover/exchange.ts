import { createInterface } from "node:readline";
import {
  certificateMisfit,
  compareWithSite,
  courierCode,
  type HandoverCondition,
  type HandoverEntry,
  type HandoverException,
  type HandoverParcel,
  type HandoverReason,
  handoverListText,
  handoverReasons,
  inHandoverOrder,
  readSiteCode,
  type SiteCode,
} from "@petak/credential";
import { InvalidArgumentError } from "commander";
import { renderUnicodeCompact } from "uqr";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal/output.ts";
import { type Driver, readDriver } from "./driver-key.ts";
import { fetchManifest, type Manifest, readManifest } from "./manifest.ts";
import { writeNew } from "./write-new.ts";

/** What the clerk says of one parcel, named by its reservation or label. */
export interface StatedCondition extends HandoverException {
  readonly parcel: string;
}

export interface HandoverOptions {
  scan: boolean;
  manifest?: string;
  label: string[];
  condition: StatedCondition[];
  agree: boolean;
  driverKey: string;
  certificate: string;
  receipt?: string;
}

/** How far the site's clock may be from this device's without a note, in ms. */
const clockDifferenceMs = 5 * 60_000;

const codeFaults = {
  form: "is no site's code of a hand-over: scan it again, and the whole of it",
  typ: "is no site's code of a hand-over: ask the clerk for the code of the list",
  claims: "is a site's code of a form that this version does not know",
  site_signature: "is not signed by the key that it names: scan it again, and do not sign for a device that shows it twice",
} as const;

/** Plays the courier's part of a hand-over: compares, signs, keeps the receipt, and shows the code in answer. */
export async function signHandover(session: Session, given: string | undefined, options: HandoverOptions): Promise<void> {
  const driver = await readDriver(session, options.driverKey, options.certificate);
  const code = await siteCodeOf(session, given, options.scan);
  const site = await readSiteCode(code);
  if (typeof site === "string") throw new CliFailure(`The code ${codeFaults[site]}.`, { reason: `code-${site.replace("_", "-")}` });
  const { statement } = site;
  const manifest =
    options.manifest === undefined
      ? await fetchManifest(session, statement.siteId, statement.direction)
      : await readManifest(session, options.manifest);
  checkSubject(site, manifest, driver);
  const parcels = withConditions(
    [...manifest.parcels, ...options.label.map((labelCode) => ({ reservationId: "", labelCode }))],
    options.condition,
  );
  const { list, missing, unknown } = await compareWithSite(site, parcels);
  const exceptions = list?.entries.filter(({ condition }) => condition !== "OK") ?? [];
  tellDifferences(session.output, site, { exceptions, missing, unknown, own: parcels.length }, session.io.now());
  const result = {
    siteId: statement.siteId,
    direction: statement.direction,
    counts: statement.counts,
    listHash: statement.listHash,
    exceptions,
    missing,
    unknown,
  };
  if (list === undefined) {
    throw new CliFailure(`Nothing is signed: the site's list is not of these parcels. ${wayOut(site, unknown)}`, {
      reason: "handover-differs",
      result,
    });
  }
  if (exceptions.length + missing.length > 0 && !options.agree) {
    throw new CliFailure(
      "Nothing is signed. If the list above is right, pass --agree; otherwise let the clerk change it and scan the new code.",
      {
        reason: "handover-not-agreed",
        result,
      },
    );
  }
  const answer = await courierCode(statement, { key: driver.key, publicKey: driver.publicKey, certificate: driver.certificateText });
  const file = options.receipt ?? `handover-${statement.listHash.slice(0, 12)}.json`;
  const [siteStatement = ""] = code.split("~");
  const receipt = { version: 1, list: handoverListText(list), site_statement: siteStatement, courier_code: answer };
  await writeNew(session, file, `${JSON.stringify(receipt, undefined, 2)}\n`);
  session.output.json({ ...result, courierCode: answer, receipt: file });
  // Line by line: a line break within what is printed would be shown as one that a stranger wrote.
  for (const line of renderUnicodeCompact(answer, { border: 4 }).split("\n")) session.output.print(line);
  session.output.print(answer);
  session.output.print(`Signed. Let the clerk scan the code. ${file} is the receipt, the same as the site's.`);
}

/** Reads `parcel=CONDITION.REASON`. */
export function parseCondition(text: string): StatedCondition {
  const [, parcel = "", condition = "", reason = ""] = /^(.+)=([A-Z]+)\.([A-Z_]+)$/.exec(text) ?? [];
  const known: readonly string[] = condition === "DAMAGED" || condition === "REFUSED" ? handoverReasons[condition] : [];
  if (!known.includes(reason)) {
    const forms = [`DAMAGED.(${handoverReasons.DAMAGED.join("|")})`, `REFUSED.(${handoverReasons.REFUSED.join("|")})`];
    throw new InvalidArgumentError(`write a reservation or label, = and ${forms.join(" or ")}.`);
  }
  return { parcel, condition: condition as HandoverCondition, reason: reason as HandoverReason };
}

async function siteCodeOf(session: Session, given: string | undefined, isScanned: boolean): Promise<string> {
  if (isScanned === (given !== undefined)) throw usageFailure("Give the site's code, or --scan to read it from standard input.");
  if (given !== undefined) return given;
  for await (const line of createInterface({ input: session.io.stdin() })) {
    if (line.trim() !== "") return line.trim();
  }
  throw usageFailure("Standard input has no code.");
}

function checkSubject({ statement }: SiteCode, manifest: Manifest, { certificate }: Driver): void {
  const differs = (what: string, theirs: string, own: string) =>
    new CliFailure(`The code is of the ${what} ${theirs}, and your parcels are of ${own}: nothing is signed.`, {
      reason: `handover-${what}`,
    });
  if (statement.siteId !== manifest.siteId) throw differs("site", statement.siteId, manifest.siteId);
  if (statement.courierId !== manifest.courierId) throw differs("courier", statement.courierId, manifest.courierId);
  if (statement.direction !== manifest.direction) throw differs("direction", statement.direction, manifest.direction);
  const misfit = certificateMisfit(certificate, statement);
  if (misfit === undefined) return;
  const from = new Date(certificate.notBeforeS * 1000).toISOString();
  const until = new Date(certificate.notAfterS * 1000).toISOString();
  const where = certificate.siteId === "" ? "every site" : certificate.siteId;
  throw new CliFailure(
    `The driver's certificate is of ${certificate.courierId}, for ${where}, from ${from} to ${until}: it is not good for this list. Ask the office for another.`,
    { reason: misfit.replace("_", "-") },
  );
}

function withConditions(
  parcels: readonly HandoverParcel[],
  stated: readonly StatedCondition[],
): (HandoverParcel & Partial<HandoverException>)[] {
  const strange = stated.find(({ parcel }) => !parcels.some((one) => nameOf(one) === parcel));
  if (strange !== undefined) throw usageFailure(`--condition names ${strange.parcel}, which is none of your parcels.`);
  return inHandoverOrder(parcels).map((parcel) => {
    const { condition, reason } = stated.find((one) => one.parcel === nameOf(parcel)) ?? {};
    return { ...parcel, ...(condition && reason !== undefined && { condition, reason }) };
  });
}

interface Differences {
  exceptions: readonly HandoverEntry[];
  missing: readonly HandoverParcel[];
  unknown: number;
  own: number;
}

function tellDifferences(output: Output, { statement }: SiteCode, { exceptions, missing, unknown, own }: Differences, nowMs: number): void {
  const { OK, DAMAGED, REFUSED } = statement.counts;
  const { colors } = output;
  output.print(`The site's list: ${OK} OK, ${DAMAGED} damaged, ${REFUSED} refused. Your parcels: ${own}.`);
  for (const entry of exceptions) output.print(`  ${nameOf(entry)}  ${colors.yellow(`${entry.condition} ${entry.reason}`)}`);
  for (const parcel of missing) output.print(`  ${nameOf(parcel)}  ${colors.red("not on the site's list")}`);
  if (unknown > 0)
    output.print(`  ${colors.red(`${unknown} on the site's list ${unknown === 1 ? "is none" : "are none"} of your parcels`)}`);
  if (Math.abs(statement.atMs - nowMs) > clockDifferenceMs) {
    output.note(`The site's clock shows ${new Date(statement.atMs).toISOString()}, this device's ${new Date(nowMs).toISOString()}.`);
  }
}

function wayOut({ marks }: SiteCode, unknown: number): string {
  if (marks === undefined) {
    return "It is too long for its code to say where it differs: compare the counts, name damaged and refused parcels with --condition, or let the clerk make two lists.";
  }
  if (unknown > 0)
    return "Find the parcel that you do not know, and name it by --label if it has no reservation, or let the clerk take it off.";
  return "Let the clerk show a new code.";
}

function nameOf({ reservationId, labelCode }: HandoverParcel): string {
  return reservationId === "" ? labelCode : reservationId;
}
