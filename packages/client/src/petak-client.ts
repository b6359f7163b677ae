import { type Client, createClient, type Transport } from "@connectrpc/connect";
import {
  AgentService,
  AuditService,
  CommandService,
  CustodyService,
  DirectoryService,
  ParticipantService,
  ReservationService,
  WebhookService,
} from "@petak/protocol";
import type { ClientOptions } from "./client-options.ts";
import { createClientTransport } from "./client-transport.ts";
import { createFetchTransport, type FetchProtocol } from "./fetch-transport.ts";
import type { RequestSigner } from "./request-signer.ts";
import { withSignedReports } from "./signed-reports.ts";

/** Options of a client over `fetch`. */
export interface PetakClientOptions extends ClientOptions {
  /** Default `connect`: binary Connect, the cheapest for page and gateway. */
  protocol?: FetchProtocol;
}

/** The services of a gateway. Calls throw a ConnectError; `reasonOf` returns its reason. */
export interface PetakClient {
  readonly directory: Client<typeof DirectoryService>;
  readonly reservations: Client<typeof ReservationService>;
  readonly custody: Client<typeof CustodyService>;
  /** With a signer, unsigned reports are signed before they are sent. */
  readonly agents: Client<typeof AgentService>;
  readonly commands: Client<typeof CommandService>;
  readonly participants: Client<typeof ParticipantService>;
  readonly webhooks: Client<typeof WebhookService>;
  readonly audit: Client<typeof AuditService>;
  /** Closes the connections and aborts the calls in flight. */
  close(): void;
}

/**
 * Makes a client of all services over the platform's `fetch`, for web pages and other runtimes. On Node, the client of `@petak/client/node` also has gRPC and
 * certificates. A page that calls a single service loads less code with `createServiceClient`.
 *
 * Throws a TypeError if an option is invalid.
 */
export function createPetakClient(options: PetakClientOptions): PetakClient {
  const { protocol = "connect" } = options;
  const closing = new AbortController();
  const transport = createClientTransport(options, protocol === "connect-json", (carrier) =>
    createFetchTransport({ ...carrier, protocol, closed: closing.signal }),
  );
  return { ...clientsOver(transport, options.signer), close: () => closing.abort() };
}

/** The clients of all services over one transport. */
export function clientsOver(transport: Transport, signer: RequestSigner | undefined): Omit<PetakClient, "close"> {
  const agents = createClient(AgentService, transport);
  return {
    directory: createClient(DirectoryService, transport),
    reservations: createClient(ReservationService, transport),
    custody: createClient(CustodyService, transport),
    agents: signer === undefined ? agents : withSignedReports(agents, signer),
    commands: createClient(CommandService, transport),
    participants: createClient(ParticipantService, transport),
    webhooks: createClient(WebhookService, transport),
    audit: createClient(AuditService, transport),
  };
}
