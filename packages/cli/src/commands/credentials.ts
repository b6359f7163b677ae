import { randomUUID } from "node:crypto";
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
import type { Output } from "../terminal/output.ts";
import { readToken } from "./access-token.ts";
import { type CredentialSubject, parseCollectable, parsePublicKey, parseSubject } from "./credential-subject.ts";
import { instantParser } from "./instant.ts";
import { registerPresence } from "./presence.ts";

const subjectArgument = "the reservation, res_…, or the bundle, bdl_…";
const holderOption = "--holder <public-key>";

interface IssueOptions {
  act?: Act;
  pin: boolean;
  holder?: Uint8Array<ArrayBuffer>;
  door: string;
}

/** `petak credentials`: issues, lists, delegates and revokes credentials, and proves that their holder is at the door. */
export const registerCredentials: CommandModule = (command, context) => {
  command
    .command("issue")
    .description("issue a credential for a reservation, a bundle or a site; it is shown once, and the gateway keeps no readable copy")
    .argument("<for>", "the reservation, res_…, the bundle, bdl_…, or, for service, the site, site_…", parseSubject)
    .option("--act <act>", "deposit, collect or recall, for a reservation (default: collect)", parseAct)
    .option("--pin", "also issue a PIN (collect only)", false)
    .option(
      holderOption,
      "public key of the holder, in base64, who must prove presence at the door; required for recall and for a site",
      parsePublicKey,
    )
    .option("--door <door>", "for a site: the one door that it opens (default: every door without a parcel)", "")
    .action(async (subject: CredentialSubject, options: IssueOptions, running: Command) => {
      checkIssue(subject, options);
      const session = context.session(running);
      const { client } = await session.connect();
      await issue(client, session.output, subject, options);
    });

  command
    .command("list")
    .description("list delegated and revoked credentials; the credentials themselves cannot be shown again")
    .argument("<for>", subjectArgument, parseCollectable)
    .action(async (subject: CredentialSubject, _options: object, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const record = await recordOf(client, subject);
      list(session.output, subject, record, await revokedPins(client, subject, record));
    });

  command
    .command("delegate")
    .description("delegate the recipient's credential to somebody else: to collect only, once, and for three days at most")
    .argument("<access-token>", "the recipient's access token, or @FILE with the token or the output of `issue --json`")
    .option(
      "--until <time>",
      "end of its validity, e.g. 2026-11-05T21:30+08:00 or +6h (default: a day from now)",
      instantParser(context.io),
    )
    .option(holderOption, "public key of its holder, in base64; required if the recipient's is bound to a key", parsePublicKey)
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
    .description("revoke a credential and everything delegated from it; takes effect when the site's agent learns of it")
    .argument("<for>", "the reservation, res_…, the bundle, bdl_…, or, for service, the site, site_…", parseSubject)
    .argument("[hash]", "the access token's hash, as shown by `issue`, `list` and events", parseHash)
    .option("--pin", "the PIN", false)
    .action(async (subject: CredentialSubject, hash: string | undefined, { pin }: { pin: boolean }, running: Command) => {
      if (subject.kind === "site" && (pin || hash === undefined)) {
        throw usageFailure("For a site, give the hash of the access token; there is no PIN.");
      }
      if (hash === undefined && !pin) throw usageFailure("Give the hash of the access token, --pin, or both.");
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
      session.output.print(`Revoked ${what} of ${subject.id}. An offline terminal learns of it later.`);
    });

  registerPresence(command, context);
};

/** Checks the combination of options before the gateway is called. */
function checkIssue({ kind }: CredentialSubject, { act, pin, holder, door }: IssueOptions): void {
  if (kind !== "reservation" && act !== undefined) throw usageFailure("--act is for a reservation.");
  if (kind !== "site" && door !== "") throw usageFailure("--door is for a site.");
  if (kind === "bundle" && holder !== undefined) throw usageFailure("A bundle's credential cannot be bound to a key: omit --holder.");
  if ((kind === "site" || act === Act.RECALL) && holder === undefined)
    throw usageFailure("Give the public key of the holder with --holder.");
  if (pin && (kind === "site" || (act ?? Act.COLLECT) !== Act.COLLECT)) throw usageFailure("--pin is only for collect.");
  if (pin && holder !== undefined) throw usageFailure("A PIN needs no key: omit --pin or --holder.");
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
  if (record === undefined) throw new CliFailure(`The gateway's response lacks ${id}.`);
  return record;
}

/** Times at which PINs were revoked. Only events have them, without a hash; for a bundle's PIN, one event for each parcel at the site. */
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

function timeText(timestamp: Timestamp | undefined): string {
  return timestamp === undefined ? "" : `${timestampDate(timestamp).toISOString().slice(0, 19)}Z`;
}

function parseHash(given: string): string {
  // A leading hyphen arrives as a minus sign: see run.ts.
  const text = given.replace(/^−/, "-");
  if (!/^[\w-]{43}$/.test(text)) throw new InvalidArgumentError("write the hash of an access token, 43 letters, digits, - and _.");
  return text;
}

function parseAct(text: string): Act {
  const act = { deposit: Act.DEPOSIT, collect: Act.COLLECT, recall: Act.RECALL }[text];
  if (act === undefined) throw new InvalidArgumentError("write deposit, collect or recall.");
  return act;
}
