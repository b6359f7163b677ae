import { Act } from "@petak/protocol";
import { EndReason, type Entry, EntryRefusal, type EntryResult } from "@petak/protocol/counter";
import { type DraftKeeper, newHandOver } from "./draft.ts";

/**
 * Brings the answer to an entry to the screen that waits for it.
 *
 * @param result undefined: the agent cannot take the entry at all
 * @returns false if no screen waits for it any more
 */
export function applyAnswer(app: DraftKeeper, entry: Entry, result: EntryResult | undefined): boolean {
  const { action } = entry;
  switch (action.case) {
    case "showCode":
      return applyCode(app, action.value.text, result);
    case "moveParcel":
    case "endHandOver":
      return applyHandOver(app, action.value.handOverId, action, result);
    case "beginDelivery":
    case "scanParcel":
    case "unscanParcel":
    case "agreeCount":
    case "closeDelivery":
      return applyDelivery(app, action.value.deliveryId, action, result);
    case "endShift": {
      const { shift } = app.draft;
      if (shift === undefined || result?.shiftCount === undefined) return false;
      app.setDraft({ shift: { ...shift, result: result.shiftCount } });
      return true;
    }
    default:
      return false;
  }
}

/** An entry that the agent cannot take is refused without a reason that the app knows. */
function refusalOf(result: EntryResult | undefined): EntryRefusal | undefined {
  if (result === undefined) return EntryRefusal.UNSPECIFIED;
  return result.refusal === EntryRefusal.UNSPECIFIED ? undefined : result.refusal;
}

function applyCode(app: DraftKeeper, code: string, result: EntryResult | undefined): boolean {
  const { handOver } = app.draft;
  if (handOver === undefined || handOver.handOver !== undefined || (handOver.code ?? code) !== code) return false;
  app.setDraft({ handOver: { ...newHandOver, code, handOver: result?.handOver, refusal: refusalOf(result) } });
  return true;
}

function applyHandOver(app: DraftKeeper, handOverId: string, action: Entry["action"], result: EntryResult | undefined): boolean {
  const { handOver } = app.draft;
  if (handOver?.handOver?.handOverId !== handOverId) return false;
  // It was done here while the agent could not be reached; a refusal then belongs on the list of what was not taken.
  const wasSentLater = handOver.outcome === "sent-later";
  const refusal = refusalOf(result);
  if (refusal !== undefined) {
    if (wasSentLater) app.setDraft({ handOver: undefined });
    else app.setDraft({ handOver: { ...handOver, refusal, label: undefined, isEnding: false } });
    return !wasSentLater;
  }
  if (result?.handOver !== undefined) {
    const { code, label } = handOver;
    app.setDraft({ handOver: { ...newHandOver, code, label, handOver: result.handOver } });
    return true;
  }
  const moved = handOver.handOver.act === Act.DEPOSIT ? "taken-in" : "handed-over";
  const ended = action.case === "endHandOver" && action.value.reason === EndReason.CANNOT_FIND ? "missing" : "ended";
  const outcome = action.case === "moveParcel" ? moved : ended;
  app.setDraft({ handOver: { ...handOver, code: undefined, outcome, refusal: undefined, isEnding: false } });
  return true;
}

function applyDelivery(app: DraftKeeper, deliveryId: string, action: Entry["action"], result: EntryResult | undefined): boolean {
  const { delivery } = app.draft;
  if (delivery?.deliveryId !== deliveryId) return false;
  const isScan = action.case === "scanParcel" || action.case === "unscanParcel";
  const unanswered = isScan ? delivery.unanswered.filter(({ label }) => label !== action.value.label) : delivery.unanswered;
  const refusal = refusalOf(result);
  const otherSiteNames = result?.otherSiteNames ?? [];
  const now = { ...delivery, unanswered, refusal, otherSiteNames, delivery: result?.delivery ?? delivery.delivery };
  if (action.case === "agreeCount" && refusal !== undefined) app.setDraft({ delivery: { ...now, step: "scan" } });
  else if (action.case === "closeDelivery") app.setDraft({ delivery: { ...now, step: refusal === undefined ? "closed" : "sign" } });
  else app.setDraft({ delivery: now });
  return true;
}
