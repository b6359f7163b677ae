import { type Choice, type ChoiceToVerify, signChoice, verifyChoice } from "@petak/credential";
import type { GatewaySecrets } from "../../secrets/gateway-secrets.ts";
import { isRevoked } from "../../secrets/issuer-certificates.ts";
import { issuerKeyPeriods } from "../../secrets/issuer-epochs.ts";
import { unrevokedKey } from "../../secrets/unrevoked-key.ts";

/** Signs the choices of consumers, and verifies them when a place is reserved. Nothing is stored. */
export interface Choices {
  sign(choice: Omit<Choice, "expiresAtMs">): Promise<string>;
  /** @throws {PetakError} CHOICE_INVALID, CHOICE_EXPIRED or CHOICE_MISMATCH */
  verify(text: string, wanted: ChoiceToVerify, nowMs: number): Promise<Choice>;
}

/** Creates choices with the issuer's keys. One that a revoked key signed is invalid. */
export function createChoices(secrets: Pick<GatewaySecrets, "issuerEpochs" | "issuerCertificates">): Choices {
  return {
    sign: (choice) => signChoice(unrevokedKey(secrets, choice.issuedAtMs, "choices"), choice),
    verify(text, wanted, nowMs) {
      const certificates = secrets.issuerCertificates();
      const issuerKeys = issuerKeyPeriods(secrets.issuerEpochs()).filter(({ publicKey }) => !isRevoked(certificates, publicKey));
      return verifyChoice(text, wanted, { issuerKeys, nowMs });
    },
  };
}
