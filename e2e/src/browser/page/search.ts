import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { createRequestSigner, createServiceClient, reasonOf, type ServiceClientOptions } from "@petak/client";
import { encodeBase64url } from "@petak/credential";
import { DirectoryService, FindNearestRequestSchema, PetakError, validateMessage } from "@petak/protocol";

/** How a call went: the sites found, nearest first; or why there are none. */
export type Found = { siteIds: string[] } | { reason: string | undefined; message: string };

/** Where and how to call. */
export type Gateway = Pick<ServiceClientOptions, "baseUrl" | "protocol" | "retry">;

/** How long a call may take, in ms: as long as a test may, nearly, since a machine under load is slow. */
const timeoutMs = 25_000;

/** Calls FindNearest as a checkout does, by its publishable key. */
export function searchByKey(gateway: Gateway, publishableKey: string): Promise<Found> {
  return search({ ...gateway, publishableKey });
}

/** A key pair of the page whose private half cannot leave it. */
let pagesKey: Promise<Awaited<ReturnType<typeof newKeyPair>>> | undefined;

/** The public half of the page's key in base64url. */
export async function publicKeyOfPage(): Promise<string> {
  pagesKey ??= newKeyPair();
  const { publicKey } = await pagesKey;
  return encodeBase64url(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)));
}

/** Calls FindNearest as a participant with whom the page's key is registered. */
export async function searchSigned(gateway: Gateway, key: { participantId: string; keyId: string; audience: string }): Promise<Found> {
  pagesKey ??= newKeyPair();
  const { privateKey } = await pagesKey;
  return await search({ ...gateway, signer: createRequestSigner({ ...key, privateKey }) });
}

/** The fields of a FindNearestRequest, given as JSON, that break a rule of the schema, with the rule. */
export function brokenRules(request: JsonObject): string[] {
  try {
    validateMessage(FindNearestRequestSchema, fromJson(FindNearestRequestSchema, request));
    return [];
  } catch (error) {
    if (!(error instanceof PetakError)) throw error;
    return error.fieldViolations.map(({ field, rule }) => `${field} ${rule}`);
  }
}

async function newKeyPair() {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("the platform gave no pair of keys for Ed25519");
  return pair;
}

async function search(options: ServiceClientOptions): Promise<Found> {
  const directory = createServiceClient(DirectoryService, { ...options, timeoutMs });
  try {
    const { options: found } = await directory.findNearest({
      origin: { latitude: 1.3, longitude: 103.8 },
      parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    });
    return { siteIds: found.map(({ site }) => site?.siteId ?? "") };
  } catch (error) {
    return { reason: reasonOf(error), message: String(error) };
  }
}
