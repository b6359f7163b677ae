import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { PetakError, Role } from "@petak/protocol";
import type { AgentCaller, Caller, ParticipantCaller, PublishableCaller } from "./caller.ts";

/** Key of the caller in a call's context. Undefined only in services that require no credentials. */
export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "the call's authenticated caller" });

/** The part of a handler's context that has the caller. */
export interface CallerContext {
  readonly values: ContextValues;
  /** The called method. Undefined: one that changes nothing. */
  readonly method?: DescMethod;
}

/** The roles of whom calls that change something are for, if they are for no role in particular: all but AUDITOR, which only reads. */
const changers: readonly Role[] = [Role.OPERATOR, Role.COURIER, Role.MERCHANT, Role.ADMIN];

const roleNames = new Map<Role, string>(Object.entries(Role).map(([name, role]) => [role, name]));

/**
 * The calling participant. Throws PUBLISHABLE_KEY_NOT_ALLOWED or AGENT_KEY_NOT_ALLOWED for another kind of caller, and ROLE_REQUIRED if `roles` are
 * given and it has none of them. Without `roles` a participant that is an auditor and nothing else may only read.
 */
export function requireParticipant(context: CallerContext, options: { roles?: readonly Role[] } = {}): ParticipantCaller {
  const caller = callerOf(context);
  if (caller.kind === "agent") throw agentKeyNotAllowed(caller);
  if (caller.kind === "publishable") throw publishableKeyNotAllowed();
  const roles = options.roles ?? (isChange(context.method) ? changers : undefined);
  return roles === undefined ? caller : requireRole(caller, roles);
}

function isChange(method: DescMethod | undefined): boolean {
  return method?.methodKind === "unary" && method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

/** Returns the participant if it has one of the roles. Throws ROLE_REQUIRED otherwise. */
export function requireRole(caller: ParticipantCaller, roles: readonly Role[]): ParticipantCaller {
  if (roles.some((role) => caller.roles.includes(role))) return caller;
  const wanted = roles.map((role) => roleNames.get(role) ?? String(role)).join(" or ");
  throw new PetakError("ROLE_REQUIRED", `the call requires the role ${wanted}, which '${caller.participantId}' does not have`, {
    metadata: { required: wanted },
  });
}

/** The calling agent of a site. Throws AGENT_KEY_REQUIRED for another kind of caller and AGENT_SITE_MISMATCH for another site's agent. */
export function requireAgent(context: CallerContext, siteId: string): AgentCaller {
  const caller = callerOf(context);
  if (caller.kind !== "agent") {
    throw new PetakError("AGENT_KEY_REQUIRED", "only a site's agent may make this call, with a key that is registered for its site");
  }
  if (caller.siteId !== siteId) {
    throw new PetakError("AGENT_SITE_MISMATCH", `the key '${caller.keyId}' is registered for site '${caller.siteId}'; name that site`, {
      metadata: { expected: caller.siteId },
    });
  }
  return caller;
}

/** A caller that may read the directory: a participant or a page. Throws AGENT_KEY_NOT_ALLOWED for an agent. */
export function requireReader(context: CallerContext): ParticipantCaller | PublishableCaller {
  const caller = callerOf(context);
  if (caller.kind === "agent") throw agentKeyNotAllowed(caller);
  return caller;
}

function callerOf(context: CallerContext): Caller {
  const caller = context.values.get(callerKey);
  if (caller === undefined) throw new PetakError("INTERNAL", "the call reached its service without a caller");
  return caller;
}

/** The error for a page's call that only a participant may make. */
export function publishableKeyNotAllowed(): PetakError {
  return new PetakError(
    "PUBLISHABLE_KEY_NOT_ALLOWED",
    "a publishable key may only read the directory; make this call from a server, with a signed request token",
  );
}

function agentKeyNotAllowed(caller: AgentCaller): PetakError {
  return new PetakError(
    "AGENT_KEY_NOT_ALLOWED",
    `'${caller.keyId}' is an agent's key, which may only call AgentService; use a key of the participant itself`,
  );
}
