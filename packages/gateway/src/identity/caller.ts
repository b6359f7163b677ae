import type { HoldLimits, ModeName, Role } from "@petak/protocol";

/** A participant that signed its request with its own key. */
export interface ParticipantCaller {
  readonly kind: "participant";
  readonly participantId: string;
  readonly roles: readonly Role[];
  /** Its own limits on unconfirmed holds. Undefined: those of the settings. */
  readonly holdLimits?: HoldLimits;
  readonly mode: ModeName;
  readonly keyId: string;
}

/** Calls that an agent with a revoked key may make: what it reports is kept apart. */
export const callsOfRevokedAgents: ReadonlySet<string> = new Set(["petak.v1.AgentService/ReportEvents"]);

/** The agent of a site. */
export interface AgentCaller {
  readonly kind: "agent";
  /** The operator of its site. */
  readonly participantId: string;
  /** The one site it runs. */
  readonly siteId: string;
  readonly mode: ModeName;
  readonly keyId: string;
  /** True: its key is revoked. Only in {@link callsOfRevokedAgents}. */
  readonly isRevoked?: true;
}

/** A web page with a publishable key. */
export interface PublishableCaller {
  readonly kind: "publishable";
  /** Owner of the key. */
  readonly participantId: string;
  readonly mode: ModeName;
  /** The publishable key. */
  readonly key: string;
}

/** The authenticated sender of a request. */
export type Caller = ParticipantCaller | AgentCaller | PublishableCaller;
