import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import type { ClientOptions } from "../client-options.ts";
import { createClientTransport } from "../client-transport.ts";
import { clientsOver, type PetakClient } from "../petak-client.ts";
import type { ClientTls } from "./client-tls.ts";
import { createTransport, type OwnedTransport, type WireProtocol } from "./transport.ts";

/** Options of a client on Node. */
export interface PetakClientOptions extends ClientOptions {
  /** Default `connect`: binary Connect over HTTP/1.1, the cheapest for the gateway among those that pass every proxy. */
  protocol?: WireProtocol;
  /** For gateways whose certificate the system does not trust, or that want their clients' certificates. From files: `tlsFromFiles`. */
  tls?: ClientTls | undefined;
  /** Connections that it shares with other clients and does not close, e.g. because a gateway limits those of one address. Not for gRPC. Default: its own. */
  connections?: HttpAgent | HttpsAgent;
}

/**
 * Makes a client of all services over connections of its own. Connects at the first call. Throws a TypeError if an option is invalid.
 */
export function createPetakClient(options: PetakClientOptions): PetakClient {
  const { transport, close } = transportOf(options);
  return { ...clientsOver(transport, options.signer), close };
}

/** Makes the client of one service over connections of its own, which `close` closes: for services that are no part of {@link createPetakClient}. */
export function createOwnServiceClient<Service extends DescService>(
  service: Service,
  options: PetakClientOptions,
): { readonly client: Client<Service>; close(): void } {
  const { transport, close } = transportOf(options);
  return { client: createClient(service, transport), close };
}

function transportOf(options: PetakClientOptions): OwnedTransport {
  const { protocol = "connect", tls, connections } = options;
  let owned: OwnedTransport | undefined;
  const transport = createClientTransport(options, protocol === "connect-json", (carrier) => {
    owned = createTransport({ ...carrier, protocol, tls, connections });
    return owned.transport;
  });
  return { transport, close: () => owned?.close() };
}
