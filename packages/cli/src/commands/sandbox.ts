import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { Act } from "@petak/protocol";
import {
  ListSandboxSitesResponseSchema,
  SandboxBehaviour,
  SandboxRefusal,
  SandboxService,
  VisitSandboxSiteResponseSchema,
} from "@petak/protocol/sandbox";
import { type Command, InvalidArgumentError } from "commander";
import { nameIn } from "../chain/name-in.ts";
import type { CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { readToken } from "./access-token.ts";
import { type CredentialSubject, parseCollectable } from "./credential-subject.ts";

/** Half a second for a refusal, for each of those who are before. */
const visitTimeoutMs = 20_000;

const examples = `
Examples:
  petak sandbox sites                      what there is to try
  petak sandbox deposit res_…              a courier brings the parcel of a confirmed reservation
  petak sandbox collect res_… --pin        its recipient comes with a PIN
  petak sandbox visit sandbox-plain eyJ…   somebody shows a token that you have

Exit codes: 0 a door opened and was used; 1 none did (the JSON has the refusal); 2 usage; 3 no gateway.`;

/** What each site does, for people. Of a behaviour of a later release its name is shown. */
const descriptions: ReadonlyMap<SandboxBehaviour, string> = new Map([
  [SandboxBehaviour.PLAIN, "everything works"],
  [SandboxBehaviour.FULL, "no place is free: Reserve fails with NO_PLACE_FREE"],
  [SandboxBehaviour.CLOSED, "closed: Reserve fails with SITE_NOT_ACCEPTING"],
  [SandboxBehaviour.JAMMED, "no lock opens: DOOR_REFUSED"],
  [SandboxBehaviour.SLOW, "reports of a visit come 20 s later"],
  [SandboxBehaviour.OFFLINE, "no link: a new PIN is refused, a deposit is reported 90 s later"],
  [SandboxBehaviour.IN_DOUBT, "the sensor shows no parcel: IN_DOUBT, then NO_SHOW"],
  [SandboxBehaviour.OVERDUE, "a parcel is overdue a minute after its deposit"],
  [SandboxBehaviour.RETIRED, "retired some seconds after Confirm: RESERVATION_CANCELLED"],
]);

interface Connection {
  readonly sandbox: Client<typeof SandboxService>;
  readonly reservations: Awaited<ReturnType<Session["connect"]>>["client"]["reservations"];
}

/** `petak sandbox`: parcels through the sandbox's sites, without hardware. */
export const registerSandbox: CommandModule = (command, context) => {
  command.addHelpText("after", examples);
  command
    .command("sites")
    .description("list the sites of the sandbox and what each does")
    .action(async (_options: object, running: Command) => {
      const session = context.session(running);
      const { sandbox } = await connect(session);
      await listSites(session, sandbox);
    });

  command
    .command("deposit")
    .description("issue a token for the deposit of a confirmed reservation at a site of the sandbox, and bring the parcel there")
    .argument("<reservation>", "res_…")
    .action(async (reservationId: string, _options: object, running: Command) => {
      await goWith(context.session(running), reservationId, Act.DEPOSIT, false);
    });

  command
    .command("collect")
    .description("issue a credential for the collection of a parcel, or of a bundle, that is at a site of the sandbox, and take it out")
    .argument("<for>", "the reservation, res_…, or the bundle, bdl_…", parseCollectable)
    .option("--pin", "come with a PIN instead of the token", false)
    .action(async ({ kind, id }: CredentialSubject, { pin }: { pin: boolean }, running: Command) => {
      const session = context.session(running);
      await (kind === "bundle" ? collectBundle(session, id, pin) : goWith(session, id, Act.COLLECT, pin));
    });

  command
    .command("visit")
    .description("show a credential at a site of the sandbox, and use the door that opens")
    .argument("<site>", "site_…, or the reference that `sites` shows", parseSite)
    .argument("<credential>", "a PIN, an access token, or @FILE with the token or the output of `credentials issue --json`")
    .action(async (site: string, given: string, _options: object, running: Command) => {
      const session = context.session(running);
      const { sandbox } = await connect(session);
      await show(session, sandbox, await siteIdOf(sandbox, site), await readToken(session, given));
    });
};

async function connect(session: Session): Promise<Connection> {
  const { signer, client } = await session.connect();
  const sandbox = session.connectService(SandboxService, { signer, timeoutMs: visitTimeoutMs });
  return { sandbox, reservations: client.reservations };
}

async function listSites({ output }: Session, sandbox: Connection["sandbox"]): Promise<void> {
  const answer = await sandbox.listSandboxSites({});
  output.json(toJson(ListSandboxSitesResponseSchema, answer));
  output.table(
    [{ title: "REFERENCE", paint: output.colors.cyan }, { title: "SITE" }, { title: "WHAT IT DOES", flexible: true }],
    answer.sites.map(({ operatorSiteRef, behaviour, siteId }) => [
      operatorSiteRef,
      siteId,
      descriptions.get(behaviour) ?? nameIn(SandboxBehaviour, behaviour),
    ]),
  );
}

/** Goes to the site of a reservation with a new credential. */
async function goWith(session: Session, reservationId: string, act: Act, withPin: boolean): Promise<void> {
  const { sandbox, reservations } = await connect(session);
  const { reservation } = await reservations.getReservation({ reservationId });
  const { accessToken, pin } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act, withPin });
  await show(session, sandbox, reservation?.siteId ?? "", withPin ? pin : accessToken);
}

/** Takes all parcels of a bundle out with one new credential. */
async function collectBundle(session: Session, bundleId: string, withPin: boolean): Promise<void> {
  const { sandbox, reservations } = await connect(session);
  const { bundle } = await reservations.getBundle({ bundleId });
  const { accessToken, pin } = await reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin });
  await show(session, sandbox, bundle?.siteId ?? "", withPin ? pin : accessToken);
}

async function siteIdOf(sandbox: Connection["sandbox"], site: string): Promise<string> {
  if (site.startsWith("site_")) return site;
  const { sites } = await sandbox.listSandboxSites({});
  const found = sites.find(({ operatorSiteRef }) => operatorSiteRef === site);
  if (found !== undefined) return found.siteId;
  const known = sites.map(({ operatorSiteRef }) => operatorSiteRef).join(", ");
  throw new CliFailure(`The sandbox has no site ${site}. It has ${known}.`, { reason: "sandbox-site" });
}

async function show({ output }: Session, sandbox: Connection["sandbox"], siteId: string, shown: string): Promise<void> {
  const isPin = /^\d+$/.test(shown);
  const credential = isPin ? ({ case: "pin", value: shown } as const) : ({ case: "accessToken", value: shown } as const);
  const visit = await sandbox.visitSandboxSite({ siteId, credential });
  const result = toJson(VisitSandboxSiteResponseSchema, visit, { alwaysEmitImplicit: true });
  if (!visit.opened) {
    const refusal = nameIn(SandboxRefusal, visit.refusal);
    throw new CliFailure(`No door opened at ${siteId}: ${refusal}.`, { reason: "door-refused", result: { visit: result } });
  }
  output.json(result);
  output.print(`Door ${visit.compartmentId} opened for ${nameIn(Act, visit.act)}, and is closed again.`);
}

function parseSite(text: string): string {
  if (/^[\w-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError("write site_…, or a reference such as sandbox-plain.");
}
