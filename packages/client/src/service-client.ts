import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import type { ClientOptions } from "./client-options.ts";
import { createClientTransport } from "./client-transport.ts";
import { createFetchTransport, type FetchProtocol } from "./fetch-transport.ts";

/** Options of the client of one service. */
export interface ServiceClientOptions extends ClientOptions {
  /** Default `connect`: binary Connect, the cheapest for page and gateway. */
  protocol?: FetchProtocol;
}

/**
 * Makes the client of one service over the platform's `fetch`. A bundler then includes only that service's messages; `createPetakClient` has all services and
 * twice the code.
 *
 * Throws a TypeError if an option is invalid.
 */
export function createServiceClient<Service extends DescService>(service: Service, options: ServiceClientOptions): Client<Service> {
  const { protocol = "connect" } = options;
  return createClient(
    service,
    createClientTransport(options, protocol === "connect-json", (carrier) => createFetchTransport({ ...carrier, protocol })),
  );
}
