import type { DescEnum, DescMethod, MessageShape } from "@bufbuild/protobuf";
import {
  Act,
  AuditKind,
  CommandService,
  CommandTypeSchema,
  DirectoryService,
  type HoldLimits,
  LiveReservationsSchema,
  Mode,
  ParticipantService,
  ReservationService,
  RoleSchema,
  UpsertOutcome,
  type UpsertSitesResponse,
  WebhookService,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";

/** What the log says of a change. It must have no secrets, names or labels of people. */
export interface AuditedChange {
  readonly kind: AuditKind;
  /** The id of what is changed. Default: it is not known yet, or there are several. */
  readonly objectId?: string | undefined;
  /** The participant to which it belongs, or the key whose owner that is. Default: the caller. */
  readonly owner?: string | { readonly ofKey: string } | undefined;
  /** The change in a few words. */
  readonly summary: string;
}

/** Describes the change of a call. The response is undefined before it is made. Undefined: the call changes, or has changed, nothing. */
export type DescribeChange = (request: unknown, response: unknown, caller: ParticipantCaller) => AuditedChange | undefined;

type Describe<Method extends DescMethod> = (
  request: MessageShape<Method["input"]>,
  response: MessageShape<Method["output"]> | undefined,
  caller: ParticipantCaller,
) => AuditedChange | undefined;

function change<Method extends DescMethod>(method: Method, describe: Describe<Method>): [string, DescribeChange] {
  return [`${method.parent.typeName}/${method.name}`, describe as DescribeChange];
}

const participants = ParticipantService.method;
const directory = DirectoryService.method;
const commands = CommandService.method;
const webhooks = WebhookService.method;
const reservations = ReservationService.method;

/** The administrative changes, by the full names of their methods. The test of the log says of each other method why it is none. */
export const auditedChanges: ReadonlyMap<string, DescribeChange> = new Map([
  change(participants.createParticipant, ({ roles }, response) => ({
    kind: AuditKind.PARTICIPANT,
    objectId: response?.participant?.participantId,
    owner: response?.participant?.participantId ?? "",
    summary: `made with the roles ${roles.map((role) => nameIn(RoleSchema, role)).join(", ")}`,
  })),
  change(participants.setParticipantLimits, ({ participantId, holdLimits }, _response, caller) => ({
    kind: AuditKind.LIMITS,
    objectId: participantId || caller.participantId,
    owner: participantId || caller.participantId,
    summary: `limits on holds: ${limitsText(holdLimits)}`,
  })),
  change(participants.registerKey, ({ participantId, mode, siteId }, response, caller) => ({
    kind: AuditKind.KEY,
    objectId: response?.key?.keyId,
    owner: participantId || caller.participantId,
    summary: `registered, ${networkOf(mode)}${siteId === "" ? "" : `, of the agent of ${siteId}`}`,
  })),
  change(participants.createPublishableKey, ({ participantId, mode, origins }, response, caller) => ({
    kind: AuditKind.KEY,
    objectId: response?.publishableKey?.publishableKey,
    owner: participantId || caller.participantId,
    summary: `publishable, ${networkOf(mode)}, for ${origins.join(", ")}`,
  })),
  change(participants.revokeKey, ({ keyId }) => ({ kind: AuditKind.KEY, objectId: keyId, owner: { ofKey: keyId }, summary: "revoked" })),
  change(participants.createEnrolmentCode, ({ siteId }, response) => ({
    kind: AuditKind.ENROLMENT,
    objectId: response?.enrolment?.enrolmentId,
    summary: `code for a device at ${siteId}`,
  })),
  change(participants.revokeEnrolment, ({ enrolmentId }) => ({ kind: AuditKind.ENROLMENT, objectId: enrolmentId, summary: "ended" })),
  change(participants.takeOverSite, ({ siteId, keyId, heldEpoch }) => ({
    kind: AuditKind.ENROLMENT,
    objectId: siteId,
    summary: `the device with epoch ${heldEpoch} of ${keyId} goes on`,
  })),
  change(participants.rotatePins, ({ siteId }) => ({ kind: AuditKind.ENROLMENT, objectId: siteId, summary: "all PINs ended" })),
  change(participants.setOperatorLinks, ({ operatorId }, _response, caller) => ({
    kind: AuditKind.TERMS,
    objectId: operatorId || caller.participantId,
    owner: operatorId || caller.participantId,
    summary: "links of the operator",
  })),
  change(directory.setDefaultTerms, (_request, _response, { participantId }) => ({
    kind: AuditKind.TERMS,
    objectId: participantId,
    summary: "default terms",
  })),
  change(directory.upsertSites, ({ sites, validateOnly }, response) => {
    if (validateOnly) return undefined;
    return response === undefined ? { kind: AuditKind.SITE, summary: `made or replaced: ${sites.length} sites` } : putSites(response);
  }),
  change(directory.retireSites, ({ siteIds, liveReservations }) => ({
    kind: AuditKind.SITE,
    objectId: onlyOne(siteIds),
    summary: `retired, live reservations ${nameIn(LiveReservationsSchema, liveReservations)}: ${listOf(siteIds)}`,
  })),
  change(commands.sendCommand, ({ siteId, type, compartmentId }, response) => ({
    kind: AuditKind.COMMAND,
    objectId: response?.command?.commandId,
    summary: `${nameIn(CommandTypeSchema, type)} at ${siteId}${compartmentId === "" ? "" : `, compartment ${compartmentId}`}`,
  })),
  change(commands.approveCommand, ({ commandId }) => ({ kind: AuditKind.COMMAND, objectId: commandId, summary: "approved" })),
  change(commands.allowCommandKey, ({ keyId }) => ({ kind: AuditKind.COMMAND, objectId: keyId, summary: "may sign commands" })),
  change(reservations.issueCredential, ({ act, siteId, compartmentId }, response) => {
    if (act !== Act.SERVICE) return undefined;
    const where = `${siteId}${compartmentId === "" ? "" : `, compartment ${compartmentId}`}`;
    return { kind: AuditKind.CREDENTIAL, objectId: response?.credentialHash, summary: `SERVICE at ${where}, issued` };
  }),
  change(reservations.revokeCredential, ({ subject, credentialHash }) => {
    if (subject.case !== "siteId") return undefined;
    return { kind: AuditKind.CREDENTIAL, objectId: credentialHash, summary: `SERVICE at ${subject.value}, revoked` };
  }),
  change(webhooks.createEndpoint, ({ url }, response) => ({
    kind: AuditKind.ENDPOINT,
    objectId: response?.endpoint?.endpointId,
    summary: `made, at ${originOf(url)}`,
  })),
  change(webhooks.updateEndpoint, ({ endpointId, url }) => ({
    kind: AuditKind.ENDPOINT,
    objectId: endpointId,
    summary: url === undefined ? "changed" : `changed, at ${originOf(url)}`,
  })),
  change(webhooks.rotateEndpointKey, ({ endpointId }) => ({
    kind: AuditKind.ENDPOINT,
    objectId: endpointId,
    summary: "signing key rotated",
  })),
  change(webhooks.deleteEndpoint, ({ endpointId }) => ({ kind: AuditKind.ENDPOINT, objectId: endpointId, summary: "deleted" })),
]);

/** Ids that a summary names. */
const listedMax = 10;

/** The sites that were made or changed. Undefined: none. */
function putSites({ results }: UpsertSitesResponse): AuditedChange | undefined {
  const idsOf = (wanted: UpsertOutcome) => results.filter(({ outcome }) => outcome === wanted).map(({ siteId }) => siteId);
  const [made, replaced] = [idsOf(UpsertOutcome.CREATED), idsOf(UpsertOutcome.UPDATED)];
  const parts = [made.length > 0 ? `made: ${listOf(made)}` : "", replaced.length > 0 ? `replaced: ${listOf(replaced)}` : ""];
  if (made.length + replaced.length === 0) return undefined;
  return { kind: AuditKind.SITE, objectId: onlyOne([...made, ...replaced]), summary: parts.filter((part) => part !== "").join("; ") };
}

function onlyOne(ids: readonly string[]): string | undefined {
  return ids.length === 1 ? ids[0] : undefined;
}

function listOf(ids: readonly string[]): string {
  const more = ids.length - listedMax;
  return `${ids.slice(0, listedMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The origin of an URL: path and query may have a secret. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "an invalid URL";
}

function nameIn(desc: DescEnum, value: number): string {
  return desc.value[value]?.localName ?? String(value);
}

function networkOf(mode: Mode): string {
  return mode === Mode.LIVE ? "live" : "test";
}

function limitsText(limits: HoldLimits | undefined): string {
  if (limits === undefined) return "those of the settings";
  const { siteMin, sitePercent, regionMax, allMax } = limits;
  return `site_min ${siteMin}, site_percent ${sitePercent}, region_max ${regionMax}, all_max ${allMax}`;
}
