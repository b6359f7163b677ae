/**
 * The rules of a reservation, independent of storage: states and transitions, deadlines, terms and fees, recorded events, the end of access, and the effect of
 * device reports. Pure: no store, no RPC, no clock; times are passed in. Runs in browsers.
 *
 * Each act has one function. It takes the reservation, the facts of the act and the time, and returns a {@link Transition} or throws a PetakError.
 */
export { allowancesOf, awaitsParticipant, bundleAllowanceOf } from "./allowances.ts";
export { asMade } from "./as-made.ts";
export {
  type BundleTransition,
  bundleCredentialIssued,
  collectableOf,
  delegateOfBundle,
  type PutBundleFacts,
  putBundle,
  revokeOfBundle,
} from "./bundles.ts";
export { type CancelFacts, cancel } from "./cancel.ts";
export { refuseUnstatedCash } from "./cash-due.ts";
export { type ConfirmFacts, confirm } from "./confirm.ts";
export { type CorrectionFacts, correctEvents } from "./correct.ts";
export { credentialIssued, opensUntilMs, pinEnded, refuseAct } from "./credentials.ts";
export { type Deadline, deadlineMsOf, deadlines, isDue, isOverdue, limitInForce, stateAt } from "./deadlines.ts";
export {
  type CredentialHashes,
  type CredentialRecord,
  credentialsExhausted,
  type DelegationFacts,
  delegate,
  delegationValidity,
  isRevocable,
  notAccepted,
  type ParentCredential,
  refuseParent,
  revoke,
  revokedHashes,
} from "./delegations.ts";
export {
  actToProve,
  applyReport,
  countedConditions,
  countedRefusals,
  deviceEvent,
  handoverEvent,
  type ReportFacts,
  type ReportingAgent,
} from "./device-report.ts";
export { nothingDue } from "./end.ts";
export { type EventFacts, eventSchemaVersion, reservationEvent, type SiteEventFacts, siteEvent } from "./events.ts";
export { type ExtendFacts, extend } from "./extend.ts";
export { labelCodesOf } from "./label-codes.ts";
export { manifestEntryOf } from "./manifest.ts";
export { isBoundByPolicy, nearestWithin, overflowFallbackMetadata, overflowFallbackOf, refuseOutside, wantedSiteOf } from "./overflow.ts";
export { agentParty, type Changer, gatewayParty, isParty, mayChange, participantParty } from "./parties.ts";
export { type DeadlineFacts, passDeadline } from "./pass-deadline.ts";
export { type PromotionFacts, promote, promotedEvent, queuedEvent, queuedReservation, waitingRank, waitUntil } from "./queue.ts";
export { nextRedirectStep, type RedirectFacts, type RedirectStep, refuseRedirect, replacement } from "./redirect.ts";
export { type HoldFacts, type HoldLimits, heldEvent, heldReservation, holdMsOf, type MadeFacts } from "./reserve.ts";
export { resolveDoubt } from "./resolve-doubt.ts";
export { cancelWithSite, isLiveBefore, knowsSiteRevision, siteChanged } from "./site-change.ts";
export { isInService, isIntakePaused, keepsReservations, ownSiteChange, refuseOutOfService, siteMoveMaxM } from "./site-service.ts";
export { hasEnded, isAccessClosed, leavesQueue, namedCompartment, stateName } from "./state.ts";
export { asGiven, checkTerms, type DefaultLimits, type FullTerms, gatewayTerms, termsInForce } from "./terms.ts";
export {
  type AmendFacts,
  amend,
  type ChangeFacts,
  changed,
  type PinEntry,
  record,
  type Transition,
  transitionTo,
  type WritingTransition,
} from "./transition.ts";
export { findTransition, illegalState, type TransitionRule, transitions } from "./transitions.ts";
export { withTransitionsSection } from "./transitions-section.ts";
