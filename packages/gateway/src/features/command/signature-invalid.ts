import { PetakError } from "@petak/protocol";

const texts = {
  SIGNATURE: "does not verify with the key of the call",
  TOO_LONG_LIVED: "lasts longer than a command may",
  NOT_YET_VALID: "was made by a clock that is more than 30 s ahead of the gateway's",
  EXPIRED: "has ended, by the gateway's clock",
};

/** The error for a signature of a command, or of a key's permission, that is not good. */
export function signatureInvalid(keyId: string, fault: keyof typeof texts): PetakError {
  return new PetakError("COMMAND_SIGNATURE_INVALID", `the signature of ${keyId} ${texts[fault]}; docs/credentials.md says what is signed`, {
    metadata: { fault, key_id: keyId },
  });
}
