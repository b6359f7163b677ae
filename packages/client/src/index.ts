/** The typed client of a gateway, for couriers, merchants, operators, agents and the project's own tools. For Node. */
export { type Ed25519KeyPair, type Ed25519PrivateJwk, generateKeyPair } from "@petak/credential";
export { fromConnectError, reasonOf } from "@petak/protocol";
export { type KeyFile, readKeyFile, signerOfKeyFile, writeKeyFile } from "./key-file.ts";
export { createPetakClient, type PetakClient, type PetakClientOptions } from "./petak-client.ts";
export { createRequestSigner, type RequestSigner, type RequestSignerOptions } from "./request-signer.ts";
export { createRetryInterceptor, type RetryOptions } from "./retry.ts";
export type { TlsOptions, WireProtocol } from "./transport.ts";
