import type { DescMethod, MessageShape } from "@bufbuild/protobuf";
import { AuditKind, type HoldLimits, Mode, ParticipantService, type Role, RoleSchema } from "@petak/protocol";
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

/** Describes the change of a call. The response is undefined before it is made. Undefined: the call changes nothing. */
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

/** The administrative changes, by the full names of their methods. The test of the log says of each other method why it is none. */
export const auditedChanges: ReadonlyMap<string, DescribeChange> = new Map([
  change(participants.createParticipant, ({ roles }, response) => ({
    kind: AuditKind.PARTICIPANT,
    objectId: response?.participant?.participantId,
    owner: response?.participant?.participantId ?? "",
    summary: `made with the roles ${roles.map(roleName).join(", ")}`,
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
]);

function roleName(role: Role): string {
  return RoleSchema.value[role]?.localName ?? String(role);
}

function networkOf(mode: Mode): string {
  return mode === Mode.LIVE ? "live" : "test";
}

function limitsText(limits: HoldLimits | undefined): string {
  if (limits === undefined) return "those of the settings";
  const { siteMin, sitePercent, regionMax, allMax } = limits;
  return `site_min ${siteMin}, site_percent ${sitePercent}, region_max ${regionMax}, all_max ${allMax}`;
}
