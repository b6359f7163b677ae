import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, CancellationReason, DoubtOutcome, type Reservation, ReservationState } from "@petak/protocol";
import { cancel } from "../cancel.ts";
import { confirm } from "../confirm.ts";
import { credentialIssued, refuseAct } from "../credentials.ts";
import { limitInForce } from "../deadlines.ts";
import { delegate, revoke } from "../delegations.ts";
import { extend } from "../extend.ts";
import { promote } from "../queue.ts";
import { nextRedirectStep } from "../redirect.ts";
import { resolveDoubt } from "../resolve-doubt.ts";
import type { Transition } from "../transition.ts";
import { courierParty, dayMs, held, holdMaxMs, minuteMs, operatorParty, site, terms } from "./scene.ts";

const S = ReservationState;

/** An act under test. */
export interface TestedAct {
  /** The states in which it is allowed. */
  states: readonly ReservationState[];
  /** The state that a refusal names as wanted; undefined: that of the reservation. */
  wanted?: ReservationState;
  perform(before: Reservation, atMs: number): Transition;
}

const beforeDeposit = [S.QUEUED, S.HELD, S.CONFIRMED];

/** Every act of participants, by name, and a promotion. */
export const acts: Readonly<Record<string, TestedAct>> = {
  promote: { states: [S.QUEUED], wanted: S.HELD, perform: promoteHere },
  confirm: {
    states: [S.HELD],
    wanted: S.CONFIRMED,
    perform: (before, atMs) => confirm(before, { actor: courierParty, terms, depositWithinMs: dayMs, labelCodes: ["LABEL-1"] }, atMs),
  },
  "extend by the owner": { states: [...beforeDeposit, S.DEPOSITED], perform: extendBy(courierParty) },
  "extend by the operator": { states: [S.DEPOSITED], perform: extendBy(operatorParty) },
  cancel: {
    states: beforeDeposit,
    wanted: S.CANCELLED,
    perform: (before, atMs) => cancel(before, { actor: courierParty, terms, site, reason: CancellationReason.OTHER }, atMs),
  },
  redirect: { states: beforeDeposit, wanted: S.CANCELLED, perform: redirect },
  "issue to deposit": { states: [S.CONFIRMED], wanted: S.DEPOSITED, perform: issue(Act.DEPOSIT) },
  "issue to collect": { states: [S.CONFIRMED, S.DEPOSITED], wanted: S.COLLECTED, perform: issue(Act.COLLECT) },
  "issue to recall": { states: [S.DEPOSITED], wanted: S.RECALLED, perform: issue(Act.RECALL) },
  delegate: {
    states: [S.CONFIRMED, S.DEPOSITED],
    wanted: S.COLLECTED,
    perform(before, atMs) {
      refuseAct(before, Act.COLLECT, atMs);
      const facts = { actor: courierParty, credentialHash: `child ${atMs}`, parentCredentialHash: "parent", expiresAtS: atMs / 1000 };
      return delegate(before, facts, atMs);
    },
  },
  revoke: {
    states: [S.CONFIRMED, S.DEPOSITED, S.IN_DOUBT],
    wanted: S.COLLECTED,
    perform: (before, atMs) => revoke(before, { actor: courierParty, credentialHash: "parent", endsPin: true }, atMs),
  },
  "resolve as collected": { states: [S.IN_DOUBT], wanted: S.COLLECTED, perform: resolve(DoubtOutcome.COLLECTED) },
  "resolve as recalled": { states: [S.IN_DOUBT], wanted: S.RECALLED, perform: resolve(DoubtOutcome.RECALLED) },
  "resolve as never there": { states: [S.IN_DOUBT], wanted: S.NO_SHOW, perform: resolve(DoubtOutcome.NO_PARCEL) },
};

function promoteHere(before: Reservation, atMs: number): Transition {
  const { siteId, operatorId } = before;
  return promote(
    before,
    { siteId, operatorId, sizeClassId: "M", termsId: "terms_0000000000000001", heldCompartmentId: "", holdMs: 15 * minuteMs },
    atMs,
  );
}

function extendBy(actor: typeof courierParty): TestedAct["perform"] {
  return (before, atMs) => {
    const limit = limitInForce(before);
    const limitMs = limit === undefined ? atMs : Math.max(atMs, timestampMs(limit));
    return extend(before, { actor, terms, holdMaxMs, until: timestampFromMs(limitMs + 10 * minuteMs) }, atMs);
  };
}

/** The last step of a redirect to a place that is held elsewhere; throws the refusal if there is one. */
function redirect(old: Reservation, atMs: number): Transition {
  const facts = {
    actor: courierParty,
    reason: CancellationReason.REROUTED,
    oldTerms: terms,
    takenTerms: terms,
    oldSite: site,
    takenSite: site,
  };
  const elsewhere: Reservation = { ...held(atMs), reservationId: `res_836520_${String(old.revision).padStart(16, "1")}` };
  const step = nextRedirectStep(old, elsewhere, facts, atMs);
  if (step.tag === "done") throw new Error("it was redirected before");
  if (step.tag === "give back") throw step.refusal;
  if (step.tag === "end") return step.transition;
  const confirmed = step.transition.after ?? elsewhere;
  const last = nextRedirectStep(old, confirmed, facts, atMs);
  if (last.tag !== "end") throw new Error(`a step ${last.tag} follows the confirmation`);
  return last.transition;
}

function issue(act: Act): TestedAct["perform"] {
  return (before, atMs) => {
    refuseAct(before, act, atMs);
    return credentialIssued(before, { actor: courierParty }, atMs);
  };
}

function resolve(outcome: DoubtOutcome): TestedAct["perform"] {
  return (before, atMs) => resolveDoubt(before, { actor: operatorParty, outcome }, atMs);
}
