/**
 * The protocol: generated messages and services of `petak.v1`, typed ids, the error catalogue and validation. It runs in browsers: nothing here needs Node.
 *
 * The generated files contain only the public protocol, so they are re-exported as a whole; everything else is exported by name.
 */
export { type CatalogueEntry, catalogue, type Reason } from "./errors/catalogue.ts";
export { errorDomain } from "./errors/error-domain.ts";
export { type FieldViolation, invalidField, PetakError, type PetakErrorOptions } from "./errors/petak-error.ts";
export { fromConnectError, reasonOf, toConnectError } from "./errors/wire.ts";
export * from "./gen/petak/v1/agent_epoch_pb.ts";
export * from "./gen/petak/v1/agent_pb.ts";
export * from "./gen/petak/v1/agent_service_pb.ts";
export * from "./gen/petak/v1/audit_pb.ts";
export * from "./gen/petak/v1/audit_service_pb.ts";
export * from "./gen/petak/v1/availability_pb.ts";
export * from "./gen/petak/v1/batch_pb.ts";
export * from "./gen/petak/v1/bundle_pb.ts";
export * from "./gen/petak/v1/check_fit_pb.ts";
export * from "./gen/petak/v1/command_pb.ts";
export * from "./gen/petak/v1/command_service_pb.ts";
export * from "./gen/petak/v1/counted_shift_pb.ts";
export * from "./gen/petak/v1/custody_pb.ts";
export * from "./gen/petak/v1/custody_service_pb.ts";
export * from "./gen/petak/v1/directory_pb.ts";
export * from "./gen/petak/v1/directory_service_pb.ts";
export * from "./gen/petak/v1/enrolment_pb.ts";
export * from "./gen/petak/v1/error_reason_pb.ts";
export * from "./gen/petak/v1/geo_pb.ts";
export * from "./gen/petak/v1/label_code_pb.ts";
export * from "./gen/petak/v1/limits_pb.ts";
export * from "./gen/petak/v1/manifest_pb.ts";
export * from "./gen/petak/v1/money_pb.ts";
export * from "./gen/petak/v1/opening_hours_pb.ts";
export * from "./gen/petak/v1/operator_pb.ts";
export * from "./gen/petak/v1/overflow_pb.ts";
export * from "./gen/petak/v1/parcel_pb.ts";
export * from "./gen/petak/v1/participant_pb.ts";
export * from "./gen/petak/v1/participant_service_pb.ts";
export * from "./gen/petak/v1/party_pb.ts";
export * from "./gen/petak/v1/purpose_pb.ts";
export * from "./gen/petak/v1/receipt_pb.ts";
export * from "./gen/petak/v1/reservation_pb.ts";
export * from "./gen/petak/v1/reservation_service_pb.ts";
export * from "./gen/petak/v1/site_agents_pb.ts";
export * from "./gen/petak/v1/site_change_pb.ts";
export * from "./gen/petak/v1/site_condition_pb.ts";
export * from "./gen/petak/v1/site_intake_pb.ts";
export * from "./gen/petak/v1/site_pb.ts";
export * from "./gen/petak/v1/site_requirements_pb.ts";
export * from "./gen/petak/v1/terms_pb.ts";
export * from "./gen/petak/v1/text_rules_pb.ts";
export * from "./gen/petak/v1/webhook_pb.ts";
export * from "./gen/petak/v1/webhook_service_pb.ts";
export { bytesToBase32, decodeBase32, encodeBase32, packBase32, randomBase32, unpackBase32 } from "./ids/base32.ts";
export { enrolmentSecretLength, formatEnrolmentCode, readEnrolmentCode } from "./ids/enrolment-code.ts";
export {
  formatBundleId,
  formatReservationId,
  formatSiteId,
  isStoreCode,
  type ModeName,
  newEventId,
  newKeyId,
  newParticipantId,
  newPublishableKey,
  newReservationId,
  newStoreCode,
  parseBundleId,
  parseReservationId,
  parseSiteId,
  type Region,
  type SiteIdParts,
  siteNumberMax,
  storeCodeLength,
} from "./ids/ids.ts";
export { termsIdOf } from "./ids/terms-id.ts";
export { mayNeedProof, needsProof, wantsProof } from "./proof/needs-proof.ts";
export { siteClockSkewMs } from "./site-clock-skew.ts";
export { greatestOf } from "./validation/greatest-of.ts";
export { prepareValidation, validateMessage } from "./validation/validate.ts";
