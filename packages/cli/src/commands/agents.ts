import { randomUUID } from "node:crypto";
import { create, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import {
  DeviceEventType,
  EnrolmentState,
  type Key,
  ListEnrolmentsResponseSchema,
  ListKeysResponseSchema,
  ListReportsKeptApartResponseSchema,
} from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import { nameIn } from "../chain/name-in.ts";
import type { CommandModule } from "../command.ts";
import { usageFailure } from "../failure.ts";
import { pagesOf } from "../pages.ts";
import type { Session } from "../session.ts";
import { idOf } from "./id-argument.ts";
import { registerSiteConditions } from "./site-conditions.ts";

/** Keys of a page, the protocol's greatest. */
const pageSize = 500;

/** How long the gateway may take to say its root key, in ms. */
const rootTimeoutMs = 5000;

/** `petak agents`: for operators, the devices of their sites. */
export const registerAgents: CommandModule = (command, context) => {
  command
    .command("enrol")
    .description(
      "make a one-time code by which a device becomes the agent of a site; it is good for an hour, and ends the site's earlier code",
    )
    .argument("<site>", "site_…", idOf("site"))
    .option("--label <text>", "a label for people, which the device's key gets", "")
    .action(async (siteId: string, { label }: { label: string }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      await makeCode(session, client, siteId, label);
    });

  command
    .command("list")
    .description("list the devices of a site, and the codes of the last day")
    .argument("<site>", "site_…", idOf("site"))
    .action(async (siteId: string, _options: object, running: Command) => await listAgents(context.session(running), siteId));

  command
    .command("revoke")
    .description("end a device's key, or a code that has not been used; the device can neither report nor learn anything from then on")
    .argument("<id>", "the key's id, key_…, or the enrolment's, enr_…")
    .action(async (id: string, _options: object, running: Command) => await revoke(context.session(running), id));

  command
    .command("takeover")
    .description(
      "say which of two devices with one key goes on, after the event SECOND_AGENT_REFUSED: the one with this epoch; the other is refused, and the site's PINs end",
    )
    .argument("<site>", "site_…", idOf("site"))
    .requiredOption(
      "--epoch <number>",
      "epoch of the device that goes on: `held_epoch` of the event for the one that was refused; 0: it has none",
      parseEpoch,
    )
    .option("--key <id>", "the key of both, key_… (default: the site's, if there is one alone)")
    .addHelpText(
      "after",
      "\nExample: after a disk was restored from a backup, and was refused with epoch 7:\n  petak agents takeover site_… --epoch 7",
    )
    .action(async (siteId: string, options: { epoch: number; key?: string }, running: Command) => {
      await takeOver(context.session(running), siteId, options);
    });

  command
    .command("reports")
    .description(
      "show what devices reported while they were not in charge of a site: replaced ones, and copies of a disk; nothing of it is believed",
    )
    .argument("<site>", "site_…", idOf("site"))
    .addHelpText("after", "\nExample: what a replaced device saw before it was switched off:\n  petak agents reports site_…")
    .action(async (siteId: string, _options: object, running: Command) => await listReports(context.session(running), siteId));

  registerSiteConditions(command, context);

  command
    .command("rotate-pins")
    .description(
      "end all PINs of a site, and change the key with which they are hashed; whoever gave them out hears of it and issues others",
    )
    .argument("<site>", "site_…", idOf("site"))
    .addHelpText("after", "\nExample: after somebody had the device in their hands:\n  petak agents rotate-pins site_…")
    .action(async (siteId: string, _options: object, running: Command) => await rotatePins(context.session(running), siteId));

  command
    .command("replace")
    .description("end the keys of all devices of a site, and make a code for a new one; what they report from then on is kept apart")
    .argument("<site>", "site_…", idOf("site"))
    .option("--label <text>", "a label for people, which the device's key gets", "")
    .action(async (siteId: string, { label }: { label: string }, running: Command) => {
      const session = context.session(running);
      const { client } = await session.connect();
      const ended: string[] = [];
      for (const { keyId } of await keysAt(client, siteId)) {
        await client.participants.revokeKey({ requestId: randomUUID(), keyId });
        ended.push(keyId);
        session.output.print(`Ended ${keyId}.`);
      }
      await makeCode(session, client, siteId, label, ended);
    });
};

async function takeOver(session: Session, siteId: string, { epoch: heldEpoch, key }: { epoch: number; key?: string }): Promise<void> {
  const { client } = await session.connect();
  const keyId = key ?? (await onlyKeyAt(client, siteId));
  await client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId, heldEpoch });
  session.output.json({ siteId, keyId, heldEpoch });
  session.output.print(`The device with epoch ${heldEpoch} of ${keyId} goes on at its next call. The site's PINs have ended.`);
}

async function onlyKeyAt(client: PetakClient, siteId: string): Promise<string> {
  const keys = await keysAt(client, siteId);
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return key.keyId;
  const found = keys.length === 0 ? "no key in force" : `${keys.length} keys in force: ${keys.map(({ keyId }) => keyId).join(", ")}`;
  throw usageFailure(`${siteId} has ${found}. Name the key of both devices with --key; \`petak agents list\` shows the keys.`);
}

async function listReports(session: Session, siteId: string): Promise<void> {
  const { output } = session;
  const { client } = await session.connect();
  const { reports } = await client.participants.listReportsKeptApart({ siteId });
  output.json(toJson(ListReportsKeptApartResponseSchema, create(ListReportsKeptApartResponseSchema, { reports })));
  const columns = [
    { title: "WHEN" },
    { title: "WHAT" },
    { title: "DOOR" },
    { title: "RESERVATION", flexible: true },
    { title: "DEVICE", paint: output.colors.cyan },
    { title: "WHY APART" },
  ];
  output.table(
    columns,
    reports.map(({ keyId, epoch, reason, event }) => [
      minuteOf(event?.occurredAt),
      nameIn(DeviceEventType, event?.type ?? 0),
      event?.compartmentId ?? "",
      event?.reservationId ?? "",
      epoch === 0 ? keyId : `${keyId}, epoch ${epoch}`,
      reason,
    ]),
  );
  if (reports.length === 0) output.print(output.colors.dim("No reports are kept apart."));
}

async function rotatePins(session: Session, siteId: string): Promise<void> {
  const { client } = await session.connect();
  const { endedPins } = await client.participants.rotatePins({ requestId: randomUUID(), siteId });
  session.output.json({ siteId, endedPins });
  session.output.print(
    `Ended ${endedPins} ${endedPins === 1 ? "PIN" : "PINs"} at ${siteId}. Whoever gave them out has heard of it and issues others.`,
  );
}

function parseEpoch(text: string): number {
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number <= 1_000_000_000) return number;
  throw new InvalidArgumentError("write a whole number from 0 to 1000000000.");
}

async function makeCode(session: Session, client: PetakClient, siteId: string, label: string, ended?: string[]): Promise<void> {
  const { output, url } = session;
  const { code, enrolment } = await client.participants.createEnrolmentCode({ requestId: randomUUID(), siteId, label });
  const until = enrolment?.expiresAt === undefined ? "" : timestampDate(enrolment.expiresAt).toISOString();
  const root = await rootOf(url);
  const line = `npx petak agent enrol ${code} --url ${url} ${root === undefined ? "" : `--root ${root} `}--data-dir DIR`;
  output.json({ code, enrolmentId: enrolment?.enrolmentId, siteId, expiresAt: until, root: root ?? null, line, ...(ended && { ended }) });
  output.print(`Code  ${output.colors.bold(code)}  for one device at ${siteId}, until ${until.slice(0, 16)}Z`);
  if (root !== undefined) output.print(`Root  ${root}  as the gateway says; compare it with the one that \`petak issuer root\` printed`);
  output.print(`Type at the device:  ${output.colors.cyan(line)}`);
}

/** The fingerprint of the operator's root key, as the gateway says. Undefined: there is none, or the gateway does not say. */
async function rootOf(url: string): Promise<string | undefined> {
  const address = new URL("/.well-known/petak/issuer-root.json", url);
  const answer = await fetch(address, { signal: AbortSignal.timeout(rootTimeoutMs), redirect: "error" }).catch(() => undefined);
  const said = (await answer?.json().catch(() => undefined)) as { root?: unknown } | undefined;
  return typeof said?.root === "string" && /^[\w-]{43}$/.test(said.root) ? said.root : undefined;
}

/** The keys of a site's agents that are not revoked. */
async function keysAt(client: PetakClient, siteId: string, withRevoked = false): Promise<Key[]> {
  const found: Key[] = [];
  for await (const { keys } of pagesOf((cursor) => client.participants.listKeys({ cursor, pageSize }))) {
    found.push(...keys.filter((key) => key.siteId === siteId && (withRevoked || key.revokedAt === undefined)));
  }
  return found;
}

async function listAgents(session: Session, siteId: string): Promise<void> {
  const { output } = session;
  const { client } = await session.connect();
  const { enrolments } = await client.participants.listEnrolments({ siteId });
  const keys = await keysAt(client, siteId, true);
  output.json({
    ...(toJson(ListKeysResponseSchema, create(ListKeysResponseSchema, { keys })) as object),
    ...(toJson(ListEnrolmentsResponseSchema, create(ListEnrolmentsResponseSchema, { enrolments })) as object),
  });
  const columns = [
    { title: "DEVICE OR CODE", paint: output.colors.cyan },
    { title: "STATE" },
    { title: "LABEL", flexible: true },
    { title: "SINCE" },
  ];
  output.table(columns, [
    ...keys.map(({ keyId, label, createdAt, revokedAt }) => [
      keyId,
      revokedAt === undefined ? "in force" : "revoked",
      label,
      minuteOf(revokedAt ?? createdAt),
    ]),
    ...enrolments
      // Those that were used are the keys above.
      .filter(({ state }) => state !== EnrolmentState.USED)
      .map(({ enrolmentId, state, label, createdAt }) => [enrolmentId, stateNames[state] ?? "", label, minuteOf(createdAt)]),
  ]);
  if (keys.length + enrolments.length === 0) output.print(output.colors.dim(`No devices. Make a code: petak agents enrol ${siteId}`));
}

const stateNames: Readonly<Partial<Record<EnrolmentState, string>>> = {
  [EnrolmentState.OPEN]: "code open",
  [EnrolmentState.REVOKED]: "code ended",
  [EnrolmentState.EXPIRED]: "code over",
};

async function revoke(session: Session, id: string): Promise<void> {
  const { client } = await session.connect();
  const requestId = randomUUID();
  if (id.startsWith("enr_")) await client.participants.revokeEnrolment({ requestId, enrolmentId: id });
  else if (id.startsWith("key_")) await client.participants.revokeKey({ requestId, keyId: await agentKey(client, id) });
  else throw usageFailure(`"${id}" is neither a key, key_…, nor an enrolment, enr_…; \`petak agents list\` shows both.`);
  session.output.json({ revoked: id });
  session.output.print(`Ended ${id}.`);
}

/** Refuses a key that is no agent's: whoever mistypes must not end a key of their own. */
async function agentKey(client: PetakClient, keyId: string): Promise<string> {
  for await (const { keys } of pagesOf((cursor) => client.participants.listKeys({ cursor, pageSize }))) {
    const found = keys.find((key) => key.keyId === keyId);
    if (found !== undefined && found.siteId !== "") return keyId;
    if (found !== undefined) break;
  }
  throw usageFailure(`${keyId} is no key of a device of yours. Keys of your own are ended by \`petak keys revoke\`.`);
}

function minuteOf(time: Key["createdAt"]): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 16)}Z`;
}
