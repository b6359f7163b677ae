import { Counter } from "k6/metrics";
import grpc from "k6/net/grpc";
import type { Settings } from "./settings.ts";
import { type TimedToken, tokenAt } from "./tokens.ts";

/** The files with the services that couriers call. */
const protoFiles = [
  // The details of errors, without which k6 cannot show them.
  "google/rpc/error_details.proto",
  "petak/v1/directory_service.proto",
  "petak/v1/reservation_service.proto",
  "petak/v1/custody_service.proto",
];

/** What a call came to: its answer in the protocol's JSON, or `reason`. */
export type Answer = { readonly message: Readonly<Record<string, unknown>>; readonly reason?: undefined } | { readonly reason: string };

/** Calls a gateway over gRPC as a courier. One for each virtual user. */
export interface CourierClient {
  /** @param method e.g. `ReservationService/Reserve` */
  call(method: string, request: object): Answer;
}

const refused = new Counter("refused");

/**
 * Makes a client, in the init context. It reads the protocol from the folder `proto` of this repository, which holds also for files elsewhere; with `reflects`, from
 * the gateway's reflection when it connects.
 */
export function makeCourierClient(settings: Settings, tokens: readonly TimedToken[], { reflects }: { reflects: boolean }): CourierClient {
  const client = new grpc.Client();
  if (!reflects) client.load(["../../proto", "../../third_party/proto"], ...protoFiles);
  let isConnected = false;
  return {
    call(method, request) {
      const authorization = `Bearer ${tokenAt(tokens, Date.now())}`;
      if (!isConnected) {
        client.connect(settings.address, { plaintext: settings.isPlaintext, reflect: reflects, reflectMetadata: { authorization } });
        isConnected = true;
      }
      const { status, message, error } = client.invoke(`petak.v1.${method}`, request, {
        metadata: { authorization },
        tags: { name: method },
        timeout: "15s",
      });
      if (status === grpc.StatusOK) return { message: message as Record<string, unknown> };
      const reason = reasonOf(error);
      refused.add(1, { reason });
      return { reason };
    },
  };
}

/** The reason of the catalogue in an error's details, else its text. */
function reasonOf(error: object): string {
  const { details = [], message = "no text" } = error as { details?: readonly { reason?: string }[]; message?: string };
  return details.find(({ reason }) => reason !== undefined)?.reason ?? message;
}
