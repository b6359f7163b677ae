import type { ModeName, Role } from "@petak/protocol";

/** A participant that signed its request with its own key. */
export interface ParticipantCaller {
  readonly kind: "participant";
  readonly participantId: string;
  readonly roles: readonly Role[];
  readonly mode: ModeName;
  readonly keyId: string;
}

/** The agent of a site. */
export interface AgentCaller {
  readonly kind: "agent";
  /** The operator of its site. */
  readonly participantId: string;
  /** The one site it runs. */
  readonly siteId: string;
  readonly mode: ModeName;
  readonly keyId: string;
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
