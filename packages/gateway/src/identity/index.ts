/** Authentication of callers, and their permissions and limits. */
export { type Authenticator, type AuthenticatorOptions, createAuthenticator, type RequestCredentials } from "./authenticator.ts";
export type { AgentCaller, Caller, ParticipantCaller, PublishableCaller } from "./caller.ts";
export { type CallerContext, callerKey, requireAgent, requireParticipant, requireReader, requireRole } from "./caller-key.ts";
export { createIdentityStep, type IdentityStepOptions } from "./identity-step.ts";
export type { Found, KeyDirectory, KeyRecord, PublishableKeyRecord } from "./key-directory.ts";
