/**
 * The typed client of a gateway. It needs only `fetch` and WebCrypto, so it runs in browsers; `@petak/client/node` adds key files, HTTP/2, gRPC and
 * certificates.
 */
export {
  type Choice,
  type ChoiceToVerify,
  type ChosenParcel,
  type Ed25519KeyPair,
  type Ed25519PrivateJwk,
  generateKeyPair,
  type KeyRegistration,
  signKeyPossession,
} from "@petak/credential";
export { fromConnectError, reasonOf } from "@petak/protocol";
export type { ClientOptions } from "./client-options.ts";
export type { FetchProtocol } from "./fetch-transport.ts";
export { keepSites, type SiteCopy, type SiteFilters } from "./keep-sites.ts";
export { createPetakClient, type PetakClient, type PetakClientOptions } from "./petak-client.ts";
export { type CallToProve, createRequestSigner, modeOfKeyId, type RequestSigner, type RequestSignerOptions } from "./request-signer.ts";
export { createRetryInterceptor, type RetryOptions } from "./retry.ts";
export { createServiceClient, type ServiceClientOptions } from "./service-client.ts";
export { type ChoiceVerifier, type ChoiceVerifierOptions, createChoiceVerifier } from "./verify-choice.ts";
