import { type Enrolment, PetakError } from "@petak/protocol";
import { keyIdOf } from "./enrolment-view.ts";

/** The error for a code with which a key was registered. @param remedy what to do about it */
export function codeUsed(enrolment: Enrolment, remedy: string): PetakError {
  const keyId = keyIdOf(enrolment);
  return new PetakError(
    "ENROLMENT_CODE_USED",
    `the code of ${enrolment.enrolmentId} was used, and ${keyId} registered with it: ${remedy}`,
    {
      metadata: { key_id: keyId, subject: enrolment.enrolmentId },
    },
  );
}
