/** The client for Node: everything of `@petak/client`, plus key files, HTTP/2, gRPC and certificates, over connections of its own. */
export {
  type CallToProve,
  type ClientOptions,
  createRequestSigner,
  createRetryInterceptor,
  type Ed25519KeyPair,
  type Ed25519PrivateJwk,
  fromConnectError,
  generateKeyPair,
  type PetakClient,
  type RequestSigner,
  type RequestSignerOptions,
  type RetryOptions,
  reasonOf,
  signKeyPossession,
} from "./index.ts";
export type { ClientTls, TlsOptions } from "./node/client-tls.ts";
export { type KeyFile, readKeyFile, signerOfKeyFile, writeKeyFile } from "./node/key-file.ts";
export { createOwnServiceClient, createPetakClient, type PetakClientOptions } from "./node/petak-client.ts";
export { writePrivateFile, writePrivateText } from "./node/private-file.ts";
export { type ClientTlsFiles, TlsFileError, tlsFromFiles } from "./node/tls-from-files.ts";
export { errorCodeOf, type TlsProblem, tlsProblemOf } from "./node/tls-problem.ts";
export type { WireProtocol } from "./node/transport.ts";
