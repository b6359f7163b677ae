import { isLowOrderPoint } from "@petak/credential";
import { Act, type IssueCredentialRequest, invalidField } from "@petak/protocol";

/** Throws INVALID_FIELD if the fields of a request for a credential contradict each other. */
export function checkIssueRequest(request: IssueCredentialRequest): void {
  const { act, reservationId, siteId, compartmentId, withPin, holderPublicKey } = request;
  const isService = act === Act.SERVICE;
  if (isService && reservationId !== "") {
    throw invalidField("reservation_id", "must be empty for SERVICE, which requires a site_id", "issue_credential.subject");
  }
  if (!isService && reservationId === "") throw invalidField("reservation_id", "is required", "issue_credential.subject");
  if (isService && siteId === "") throw invalidField("site_id", "is required for SERVICE", "issue_credential.subject");
  if (!isService && siteId !== "") throw invalidField("site_id", "must be empty except for SERVICE", "issue_credential.subject");
  if (!isService && compartmentId !== "")
    throw invalidField("compartment_id", "must be empty except for SERVICE", "issue_credential.subject");
  if (withPin && act !== Act.COLLECT)
    throw invalidField("with_pin", "must be false except for COLLECT", "issue_credential.pin_for_collect");
  if (withPin && holderPublicKey !== undefined) {
    throw invalidField(
      "with_pin",
      "must be false if holder_public_key is set: a PIN would open without that key",
      "issue_credential.pin_or_key",
    );
  }
  if (holderPublicKey === undefined) {
    if (!isService && act !== Act.RECALL) return;
    throw invalidField("holder_public_key", "is required for RECALL and SERVICE", "issue_credential.key_for_act");
  }
  if (isLowOrderPoint(holderPublicKey)) {
    throw invalidField("holder_public_key", "must not be a point of low order: signatures by it prove nothing", "issue_credential.order");
  }
}
