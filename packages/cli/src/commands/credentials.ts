import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import {
  Act,
  type Bundle,
  BundleSchema,
  DelegateCredentialResponseSchema,
  EventType,
  IssueBundleCredentialResponseSchema,
  IssueCredentialResponseSchema,
  type Reservation,
  ReservationSchema,
} from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandModule } from "../command.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import type { Output } from "../terminal/output.ts";
import { type CredentialSubject, parseCollectable, parsePublicKey, parseSubject } from "./credential-subject.ts";
import { parseInstant } from "./instant.ts";

const subjectArgument = "the reservation, res_…, or the bundle, bdl_…";
const holderOption = "--holder <public-key>";

interface IssueOptions {
  act?: Act;
  pin: boolean;
  holder?: Uint8Array<ArrayBuffer>;
  door: string;
}

/** `petak credentials`: what opens doors, made, narrowed for somebody else, and ended. */
export const registerCredentials: CommandModule = (command, context) => {
  command
    .command("issue")
    .description("issue what opens a door, or all of a bundle; it is shown once, and the gateway keeps no readable copy")
    .argument("<for>", "the reservation, res_…, the bundle, bdl_…, or, for work, the site, site_…", parseSubject)
    .option("--act <act>", "deposit, collect or recall, for a reservation (default: collect)", parseAct)
    .option("--pin", "a PIN beside the access token, to collect only", false)
    .option(
      holderOption,
      "whose it is: the key, in base64, that proves to be at the door; needed for recall and for a site",
      parsePublicKey,
    )
    .option("--door <door>", "the one door that it opens, for a site (default: each behind which no parcel lies)", "")
    .action(async (subject: CredentialSubject, options: IssueOptions, running: Command) => {
      checkIssue(subject, options);
      const session = context.session(running);
      const { client } = await session.connect();
      await issue(client, session.output, subject, options);
    });

  command
    .command("list")
    .description("list those that were delegated or revoked; none can be read again")
    .argument("<for>", subjectArgument, parseCollectable)
    .action(async (subject: CredentialSubject, _options: object, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const record = await recordOf(client, subject);
      list(session.output, subject, record, await revokedPins(client, subject, record));
    });

  command
    .command("delegate")
    .description("let somebody else collect, with a credential made of the recipient's: to collect only, once, and for three days at most")
    .argument("<access-token>", "the recipient's access token, or @ and a file that has it, as it is or as `issue --json` prints it")
    .option("--until <time>", "until when it opens, e.g. 2026-11-05T21:30+08:00 (default: a day from now)", parseInstant)
    .option(holderOption, "whose it is, in base64; needed where the recipient's is bound to a key", parsePublicKey)
    .action(async (given: string, options: { until?: Date; holder?: Uint8Array<ArrayBuffer> }, running: Command) => {
      const session = context.session(running);
      const accessToken = await readToken(session, given);
      const { client, output } = { ...(await session.connect()), output: session.output };
      const { until, holder } = options;
      const answer = await client.reservations.delegateCredential({
        requestId: randomUUID(),
        accessToken,
        ...(until && { expiresAt: timestampFromDate(until) }),
        ...(holder && { holderPublicKey: holder }),
      });
      output.json(toJson(DelegateCredentialResponseSchema, answer));
      show(output, answer);
    });

  command
    .command("revoke")
    .description("let a credential open nothing any more, and what was delegated from it, as soon as the site's agent hears")
    .argument("<for>", "the reservation, res_…, the bundle, bdl_…, or, for work, the site, site_…", parseSubject)
    .argument("[hash]", "the access token's hash, as `issue`, `list` and events have it", parseHash)
    .option("--pin", "the PIN", false)
    .action(async (subject: CredentialSubject, hash: string | undefined, { pin }: { pin: boolean }, running: Command) => {
      if (subject.kind === "site" && (pin || hash === undefined)) {
        throw usageFailure("For work at a site name the access token by its hash; there is no PIN.");
      }
      if (hash === undefined && !pin) throw usageFailure("Name the access token by its hash, write --pin, or both.");
      const session = context.session(running);
      const { client } = await session.connect();
      await client.reservations.revokeCredential({
        requestId: randomUUID(),
        subject: { case: `${subject.kind}Id`, value: subject.id },
        credentialHash: hash ?? "",
        pin,
      });
      const what = [...(hash === undefined ? [] : [hash]), ...(pin ? ["the PIN"] : [])].join(" and ");
      session.output.json({ revoked: { for: subject.id, credentialHash: hash ?? "", pin } });
      session.output.print(`Revoked ${what} of ${subject.id}. A terminal without the network hears of it later.`);
    });
};

/** Says what does not go together before anybody is asked. */
function checkIssue({ kind }: CredentialSubject, { act, pin, holder, door }: IssueOptions): void {
  if (kind !== "reservation" && act !== undefined) throw usageFailure("--act is for a reservation.");
  if (kind !== "site" && door !== "") throw usageFailure("--door is for work at a site.");
  if (kind === "bundle" && holder !== undefined) throw usageFailure("A bundle's credential is bound to no key: leave --holder out.");
  if ((kind === "site" || act === Act.RECALL) && holder === undefined) throw usageFailure("Name the key of who will be there: --holder.");
  if (pin && (kind === "site" || (act ?? Act.COLLECT) !== Act.COLLECT)) throw usageFailure("--pin is to collect only.");
  if (pin && holder !== undefined) throw usageFailure("Whoever has the PIN needs no key: leave --pin or --holder out.");
}

async function issue({ reservations }: PetakClient, output: Output, subject: CredentialSubject, options: IssueOptions): Promise<void> {
  const { kind, id } = subject;
  const { pin: withPin, holder, door } = options;
  const requestId = randomUUID();
  if (kind === "bundle") {
    const answer = await reservations.issueBundleCredential({ requestId, bundleId: id, withPin });
    output.json(toJson(IssueBundleCredentialResponseSchema, answer));
    show(output, answer);
    return;
  }
  const about =
    kind === "site"
      ? { act: Act.SERVICE, siteId: id, compartmentId: door }
      : { act: options.act ?? Act.COLLECT, reservationId: id, withPin };
  const answer = await reservations.issueCredential({ requestId, ...about, ...(holder && { holderPublicKey: holder }) });
  output.json(toJson(IssueCredentialResponseSchema, answer));
  show(output, answer);
}

interface Shown {
  accessToken: string;
  pin?: string;
  notBefore?: Timestamp | undefined;
  expiresAt?: Timestamp | undefined;
  credentialHash: string;
}

function show(output: Output, { accessToken, pin = "", notBefore, expiresAt, credentialHash }: Shown): void {
  output.print(`Access token  ${accessToken}`);
  if (pin !== "") output.print(`PIN           ${pin}`);
  output.print(`Opens         from ${timeText(notBefore)} until ${timeText(expiresAt)}`);
  output.print(`Hash          ${output.colors.cyan(credentialHash)}`);
}

async function recordOf({ reservations }: PetakClient, { kind, id }: CredentialSubject): Promise<Reservation | Bundle> {
  const record =
    kind === "bundle"
      ? (await reservations.getBundle({ bundleId: id })).bundle
      : (await reservations.getReservation({ reservationId: id })).reservation;
  if (record === undefined) throw new CliFailure(`The gateway knows ${id} and did not show it.`);
  return record;
}

/** When PINs were revoked that no record has: an event without a hash is about one. Of a bundle's each parcel that lay there has it. */
async function revokedPins({ custody }: PetakClient, { kind, id }: CredentialSubject, record: Reservation | Bundle): Promise<string[]> {
  const reservationIds = "reservationIds" in record ? record.reservationIds : [id];
  const bundleId = kind === "bundle" ? id : "";
  const chains = await Promise.all(reservationIds.map((reservationId) => custody.getCustodyChain({ reservationId })));
  const revocations = chains
    .flatMap(({ events }) => events)
    .filter((event) => event.type === EventType.CREDENTIAL_REVOKED && event.bundleId === bundleId && event.proof?.credentialHash === "");
  return [...new Set(revocations.map(({ occurredAt }) => timeText(occurredAt)))].sort();
}

function list(
  output: Output,
  { kind, id }: CredentialSubject,
  { delegations, revokedCredentials }: Reservation | Bundle,
  pinsRevokedAt: readonly string[],
): void {
  const lists = { delegations, revokedCredentials };
  const json =
    kind === "bundle"
      ? toJson(BundleSchema, create(BundleSchema, { bundleId: id, ...lists }))
      : toJson(ReservationSchema, create(ReservationSchema, { reservationId: id, ...lists }));
  output.json({ ...(json as JsonObject), revokedPins: pinsRevokedAt.map((revokedAt) => ({ revokedAt })) });
  const rows = [
    ...delegations.map((one) => [
      one.credentialHash,
      "delegated",
      timeText(one.expiresAt),
      timeText(one.revokedAt),
      one.parentCredentialHash,
    ]),
    ...revokedCredentials.map((one) => [one.credentialHash, "issued", "", timeText(one.revokedAt), ""]),
    ...pinsRevokedAt.map((revokedAt) => ["", "PIN", "", revokedAt, ""]),
  ];
  if (rows.length === 0) output.print("None was delegated or revoked.");
  else {
    output.table(
      [
        { title: "HASH", paint: output.colors.cyan },
        { title: "CREDENTIAL" },
        { title: "UNTIL" },
        { title: "REVOKED" },
        { title: "MADE OF", flexible: true },
      ],
      rows,
    );
  }
}

/** A token as it was given or, with an @, as a file has it: what opens doors need not stand in a shell's history. */
async function readToken({ resolve }: Session, given: string): Promise<string> {
  if (!given.startsWith("@")) return given;
  const file = given.slice(1);
  try {
    const text = (await readFile(resolve(file), "utf8")).trim();
    return text.startsWith("{") ? (JSON.parse(text) as { accessToken: string }).accessToken : text;
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}

function timeText(timestamp: Timestamp | undefined): string {
  return timestamp === undefined ? "" : `${timestampDate(timestamp).toISOString().slice(0, 19)}Z`;
}

function parseHash(given: string): string {
  // What begins with a hyphen comes with a minus: see run.ts.
  const text = given.replace(/^−/, "-");
  if (!/^[\w-]{43}$/.test(text)) throw new InvalidArgumentError("write the hash of an access token, 43 letters, digits, - and _.");
  return text;
}

function parseAct(text: string): Act {
  const act = { deposit: Act.DEPOSIT, collect: Act.COLLECT, recall: Act.RECALL }[text];
  if (act === undefined) throw new InvalidArgumentError("write deposit, collect or recall.");
  return act;
}
