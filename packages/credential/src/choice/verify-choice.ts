import { PetakError, Purpose } from "@petak/protocol";
import type { IssuerKeyPeriod } from "../keys/issuer-key-set.ts";
import { nameOf } from "../receipts/names.ts";
import { type Choice, type ChosenParcel, deliveryUnlessSet, isSameParcel, readChoice, requirementNames } from "./choice.ts";

/** What a choice must be for. */
export interface ChoiceToVerify {
  /** The participant for whom it must have been signed. */
  readonly participantId: string;
  /** The site. Undefined: any; read it from the choice. */
  readonly siteId?: string | undefined;
  /** The parcel. Undefined: any. */
  readonly parcel?: ChosenParcel | undefined;
  /** The purpose. Undefined: any. UNSPECIFIED: DELIVERY. */
  readonly purpose?: Purpose | undefined;
}

/** Options of {@link verifyChoice}. */
export interface VerifyChoiceOptions {
  /** The gateway's issuer keys, past and present. */
  readonly issuerKeys: readonly IssuerKeyPeriod[];
  /** The verifier's clock, in ms. */
  readonly nowMs: number;
}

/**
 * Verifies a choice as Reserve does. A verified choice says what the gateway answered up to 15 minutes ago; whether a place is still free, only Reserve can say.
 *
 * @throws {PetakError} CHOICE_INVALID, CHOICE_EXPIRED or CHOICE_MISMATCH
 */
export async function verifyChoice(text: string, wanted: ChoiceToVerify, { issuerKeys, nowMs }: VerifyChoiceOptions): Promise<Choice> {
  const choice = await readChoice(text, issuerKeys);
  if (typeof choice === "string") {
    throw new PetakError(
      "CHOICE_INVALID",
      `the choice was not signed by this gateway, or was altered since (${choice}); let the consumer choose again`,
      {
        metadata: { fault: choice, subject },
      },
    );
  }
  // Before the rest, so that strangers learn nothing of a choice.
  if (choice.participantId !== wanted.participantId) {
    throw mismatch("participant", "the choice was signed for another participant", "choose with a publishable key of your own");
  }
  if (nowMs >= choice.expiresAtMs) {
    const at = new Date(choice.expiresAtMs).toISOString();
    throw new PetakError("CHOICE_EXPIRED", `the choice expired at ${at}; let the consumer confirm the site again`, {
      metadata: { expired_at: at, subject },
    });
  }
  const { siteId, parcel, purpose } = wanted;
  if (siteId !== undefined && siteId !== choice.siteId) {
    throw mismatch("site", `the choice is for site ${choice.siteId}`, "name that site, or let the consumer choose again", choice.siteId);
  }
  if (parcel !== undefined && !isSameParcel(parcel, choice.parcel)) {
    const chosen = inWords(choice.parcel);
    throw mismatch("parcel", `the choice is for a parcel of ${chosen}`, "let the consumer choose again with this parcel", chosen);
  }
  if (purpose !== undefined && deliveryUnlessSet(purpose) !== choice.purpose) {
    const chosen = nameOf(Purpose, choice.purpose);
    throw mismatch("purpose", `the choice is for the purpose ${chosen}`, "let the consumer choose again for this purpose", chosen);
  }
  return choice;
}

const subject = "choice";

function mismatch(what: string, sentence: string, way: string, chosen?: string): PetakError {
  return new PetakError("CHOICE_MISMATCH", `${sentence}; ${way}`, {
    metadata: { mismatch: what, ...(chosen !== undefined && { chosen }), subject },
  });
}

function inWords(parcel: ChosenParcel): string {
  const { widthMm, heightMm, depthMm, massG } = parcel;
  return [`${widthMm} × ${heightMm} × ${depthMm} mm and ${massG} g`, ...requirementNames(parcel)].join(", ");
}
