/** Authentication of callers, and their permissions and limits. */
export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  keyRevoked,
  type RequestCredentials,
} from "./authenticator.ts";
export type { AgentCaller, Caller, ParticipantCaller, PublishableCaller } from "./caller.ts";
export { createCallerAccounts } from "./caller-accounts.ts";
export { type CallerContext, callerKey, requireAgent, requireParticipant, requireReader, requireRole } from "./caller-key.ts";
export { createIdentityStep, type IdentityStepOptions } from "./identity-step.ts";
export { createKeyCheck } from "./key-check.ts";
export type { Found, KeyDirectory, KeyRecord, PublishableKeyRecord } from "./key-directory.ts";
export { createProofCheck, isProvenKey, type ProofCheckOptions, proofRequired } from "./proof-check.ts";
