/** A page that calls all services, with requests that it signs. */
import { createPetakClient, createRequestSigner, type PetakClient, type RequestSignerOptions } from "@petak/client";

export function connect(baseUrl: string, key: RequestSignerOptions): PetakClient {
  return createPetakClient({ baseUrl, signer: createRequestSigner(key) });
}
