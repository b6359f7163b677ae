import { Act } from "@petak/protocol";
import { credentialOf } from "../decision/credential-of.ts";
import { decide } from "../decision/decide.ts";
import type { DoorRefusal } from "../decision/refusals.ts";
import { type DecidedHandOver, type LeaseKnowledge, snapshotOf } from "./snapshot-of.ts";

/** What a tablet decides of a code. */
export type LeaseDecision =
  | {
      readonly opens: true;
      readonly begun: Omit<DecidedHandOver, "handOverId">;
      /** Which of the parcels of its code it is, from 1, and how many there are. */
      readonly number: number;
      readonly of: number;
    }
  /** PIN, NEEDS_AGENT: only the agent can judge it. */
  | { readonly opens: false; readonly refusal: DoorRefusal | "PIN" | "NEEDS_AGENT" };

/** What needs a challenge by the agent. */
const needsChallenge: readonly DoorRefusal[] = ["PRESENCE_MISSING", "CHALLENGE_UNKNOWN"];

/**
 * Decides about a code at a counter whose agent cannot be reached, by the same rules as the agent does. PINs, deposits and tokens that need a challenge are not for a tablet to decide.
 *
 * @param nowMs the agent's time, by a clock that nobody can set
 */
export async function decideByLease(text: string, knowledge: LeaseKnowledge, nowMs: number): Promise<LeaseDecision> {
  const credential = credentialOf(text);
  if ("pin" in credential) return { opens: false, refusal: "PIN" };
  const decision = await decide(credential, snapshotOf(knowledge), nowMs);
  if (decision.act === Act.DEPOSIT) return { opens: false, refusal: "NEEDS_AGENT" };
  if (!decision.opens) return { opens: false, refusal: needsChallenge.includes(decision.refusal) ? "NEEDS_AGENT" : decision.refusal };
  const { act, credentialId, bundleId, doors, toCollect } = decision;
  const [door] = doors;
  // A technician has nothing to do at a counter.
  if (door === undefined || act === Act.SERVICE) return { opens: false, refusal: "COMPARTMENT" };
  const { compartmentId: shelfPlace, reservationId } = door;
  const begun = { act, credentialId, bundleId, reservationId, toCollect, shelfPlace, outcome: "UNDER_WAY" } as const;
  const before = knowledge.decided.filter((one) => one.credentialId === credentialId && one.outcome === "MOVED").length;
  return { opens: true, begun, number: before + 1, of: before + doors.length };
}
