import type { ClientOptions } from "../client-options.ts";
import { createClientTransport } from "../client-transport.ts";
import { clientsOver, type PetakClient } from "../petak-client.ts";
import { createTransport, type OwnedTransport, type TlsOptions, type WireProtocol } from "./transport.ts";

/** Options of a client on Node. */
export interface PetakClientOptions extends ClientOptions {
  /** Default `connect`: binary Connect over HTTP/1.1, the cheapest for the gateway among those that pass every proxy. */
  protocol?: WireProtocol;
  /** For gateways whose certificate the system does not trust. */
  tls?: TlsOptions;
}

/**
 * Makes a client of all services over connections of its own. Connects at the first call. Throws a TypeError if an option is invalid.
 */
export function createPetakClient(options: PetakClientOptions): PetakClient {
  const { protocol = "connect", tls } = options;
  let owned: OwnedTransport | undefined;
  const transport = createClientTransport(options, (carrier) => {
    owned = createTransport({ ...carrier, protocol, tls });
    return owned.transport;
  });
  return { ...clientsOver(transport, options.signer), close: () => owned?.close() };
}
