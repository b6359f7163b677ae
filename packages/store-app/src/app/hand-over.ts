import { create } from "@bufbuild/protobuf";
import { ParcelRequirement } from "@petak/protocol";
import { EndHandOverSchema, EndReason, EntryRefusal, type HandOver, MoveParcelSchema, ShowCodeSchema } from "@petak/protocol/counter";
import { randomUuid } from "../ids/random-uuid.ts";
import type { App } from "./app.ts";
import { type HandOverDraft, newHandOver } from "./draft.ts";

/** A requirement that a clerk ticks. Cash has a row of its own, and NO_LOCKER asks nothing of a store. */
export function ticksOf({ requirements }: HandOver): readonly ParcelRequirement[] {
  const silent: readonly ParcelRequirement[] = [ParcelRequirement.CASH_ON_DELIVERY, ParcelRequirement.NO_LOCKER];
  return requirements.filter((requirement) => !silent.includes(requirement));
}

/** Whether everything that the parcel asks for is ticked. */
export function isReadyToMove({ handOver, checks, isCashTaken }: HandOverDraft): boolean {
  if (handOver === undefined) return false;
  return ticksOf(handOver).every((tick) => checks.includes(tick)) && (handOver.cashDue === undefined || isCashTaken);
}

/** A code or a label was scanned on the screen of a hand-over. */
export async function scanForHandOver(app: App, text: string): Promise<void> {
  const draft = app.draft.handOver;
  if (draft?.handOver === undefined) return await showCode(app, text);
  if (draft.outcome !== undefined) return text === draft.label ? undefined : await showCode(app, text);
  if (text === draft.code || text === draft.label) return;
  if (!isReadyToMove(draft)) return app.setDraft({ handOver: { ...draft, refusal: EntryRefusal.CHECK_MISSING } });
  await moveParcel(app, draft, draft.handOver, text);
}

/** The agent judges a code. Where it cannot be reached, nothing of that stays, and the tablet decides if it has the lease. */
async function showCode(app: App, text: string): Promise<void> {
  if (app.isReachable === false) return await decideAlone(app, text);
  app.setDraft({ handOver: { ...newHandOver, code: text } });
  const entryId = await app.submit({ case: "showCode", value: create(ShowCodeSchema, { text }) });
  if (entryId !== undefined && (await app.withdraw(entryId))) await decideAlone(app, text);
}

/**
 * Decides by this tablet's lease. What was decided is on the disk before the screen shows the place.
 *
 * @param label of the code's parcel before this one, which may still be in view
 */
async function decideAlone(app: App, text: string, label?: string): Promise<void> {
  const refused = (parts: Partial<HandOverDraft>): void => app.setDraft({ handOver: { ...newHandOver, isCutOff: true, ...parts } });
  const decision = await app.lease.decide(text, randomUuid());
  if (decision === undefined) return refused({});
  if ("refusal" in decision) {
    const { refusal } = decision;
    return refused(refusal === "PIN" || refusal === "NEEDS_AGENT" ? { needsAgent: refusal } : { refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  }
  const { handOver, decided } = decision;
  const value = create(ShowCodeSchema, { text, decided });
  if ((await app.submit({ case: "showCode", value }, true)) === undefined) return;
  await decision.keep();
  app.setDraft({ handOver: { ...newHandOver, code: text, label, handOver, isAlone: true } });
}

async function moveParcel(app: App, draft: HandOverDraft, handOver: HandOver, label: string): Promise<void> {
  if (app.isReachable === false && !(app.lease.isLabelOf(handOver.handOverId, label) ?? isLabelOf(handOver, label))) {
    return app.setDraft({ handOver: { ...draft, refusal: EntryRefusal.WRONG_PARCEL } });
  }
  const { handOverId, cashDue, requirements } = handOver;
  app.setDraft({ handOver: { ...draft, label, refusal: undefined } });
  const paid = requirements.filter((one) => one === ParcelRequirement.CASH_ON_DELIVERY && draft.isCashTaken);
  const value = create(MoveParcelSchema, { handOverId, label, checksDone: [...draft.checks, ...paid], cashCollected: cashDue });
  const isLater = app.isReachable === false;
  const entryId = await app.submit({ case: "moveParcel", value }, isLater);
  if (entryId !== undefined && app.isReachable === false) await app.lease.ended(handOverId, "MOVED");
  const now = app.draft.handOver;
  // No answer: the parcel is in the customer's hands, and the entry waits.
  if (entryId === undefined || app.isReachable !== false || now?.handOver?.handOverId !== handOverId || now.outcome !== undefined) return;
  if (now.refusal !== undefined) return;
  app.setDraft({ handOver: { ...now, outcome: "sent-later" } });
  // The next parcel of the same code, as the agent begins it by itself.
  if (now.isAlone === true && handOver.number < handOver.of) await decideAlone(app, now.code ?? "", label);
}

/** Whether a label is that of a hand-over's parcel, as far as the tablet knows. */
function isLabelOf({ labelEnding, shelfPlace }: HandOver, label: string): boolean {
  return label === `place:${shelfPlace}` || (labelEnding !== "" && label.toUpperCase().endsWith(labelEnding.toUpperCase()));
}

/** Ticks a check, or takes the tick back. */
export function tick(app: App, requirement: ParcelRequirement): void {
  const draft = app.draft.handOver;
  if (draft === undefined) return;
  const has = draft.checks.includes(requirement);
  const checks = has ? draft.checks.filter((one) => one !== requirement) : [...draft.checks, requirement];
  app.setDraft({ handOver: { ...draft, checks, refusal: undefined } });
}

/** Says that the cash was received, or takes that back. */
export function tickCash(app: App): void {
  const draft = app.draft.handOver;
  if (draft !== undefined) app.setDraft({ handOver: { ...draft, isCashTaken: !draft.isCashTaken, refusal: undefined } });
}

/** What a lease knows of a hand-over that ended without its parcel. */
const aloneOutcomes: Readonly<Partial<Record<EndReason, "CANNOT_FIND" | "REFUSED">>> = {
  [EndReason.CANNOT_FIND]: "CANNOT_FIND",
  [EndReason.REFUSED_BY_PERSON]: "REFUSED",
};

/** Ends a hand-over without its parcel. */
export async function endHandOver(app: App, reason: EndReason): Promise<void> {
  const draft = app.draft.handOver;
  const handOverId = draft?.handOver?.handOverId;
  if (draft === undefined || handOverId === undefined) return app.setDraft({ handOver: undefined });
  const isLater = app.isReachable === false;
  const entryId = await app.submit({ case: "endHandOver", value: create(EndHandOverSchema, { handOverId, reason }) }, isLater);
  if (entryId !== undefined && app.isReachable === false) await app.lease.ended(handOverId, aloneOutcomes[reason] ?? "NOT_NOW");
  const now = app.draft.handOver;
  if (entryId === undefined || app.isReachable !== false || now?.handOver?.handOverId !== handOverId) return;
  const outcome = reason === EndReason.CANNOT_FIND ? "missing" : "ended";
  app.setDraft({ handOver: { ...now, code: undefined, outcome, isEnding: false } });
}
