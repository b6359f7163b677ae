import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { errorDomain } from "@petak/protocol";
import { ErrorInfoSchema } from "@petak/protocol/google-rpc";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "@petak/protocol/grpc";
import { untilAborted } from "../call/until-aborted.ts";

/** The health of a gateway, as the gRPC health checking protocol reports it. */
export interface GatewayHealth {
  /** Sets the health of a service, or of the whole gateway if none is named. Watchers are notified at once. */
  setServing(serving: boolean, service?: string): void;
  /** Returns the health of the whole gateway. */
  isServing(): boolean;
  /** Adds grpc.health.v1.Health to a router. */
  routes(router: ConnectRouter): void;
}

/**
 * Creates the health of a gateway, which is NOT_SERVING at first.
 *
 * @param services full names of the services whose health can be asked for, e.g. `petak.v1.DirectoryService`. Each has the health of the
 * gateway until its own is set.
 */
export function createHealth(services: readonly string[]): GatewayHealth {
  const known = new Set(services);
  const own = new Map<string, boolean>();
  let serving = false;
  let changed = Promise.withResolvers<void>();

  function statusOf(service: string): ServingStatus {
    if (service !== "" && !known.has(service)) return ServingStatus.SERVICE_UNKNOWN;
    return serving && (own.get(service) ?? true) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  async function* watch(service: string, signal: AbortSignal) {
    let last: ServingStatus | undefined;
    for (;;) {
      const { promise } = changed;
      const status = statusOf(service);
      if (status !== last) yield { status };
      last = status;
      if (signal.aborted) return;
      // If the gateway stops, the watcher still gets NOT_SERVING before its stream ends.
      await untilAborted(signal, promise).catch(() => {});
    }
  }

  return {
    setServing(value, service = "") {
      if (service === "") serving = value;
      else own.set(service, value);
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    isServing: () => serving,
    routes(router) {
      router.service(Health, {
        check({ service }) {
          const status = statusOf(service);
          if (status === ServingStatus.SERVICE_UNKNOWN) throw unknownService(service);
          return { status };
        },
        list: () => ({
          statuses: Object.fromEntries(["", ...known].map((service) => [service, { status: statusOf(service) }])),
        }),
        watch: ({ service }, { signal }) => watch(service, signal),
      });
    },
  };
}

/** The health checking protocol prescribes NOT_FOUND for an unknown service, although METHOD_NOT_FOUND has another code elsewhere. */
function unknownService(service: string): ConnectError {
  const value = { reason: "METHOD_NOT_FOUND", domain: errorDomain };
  const name = service.slice(0, 200).toWellFormed();
  return new ConnectError(`${name}: no such service here. Ask without a name for the gateway as a whole.`, Code.NotFound, undefined, [
    { desc: ErrorInfoSchema, value },
  ]);
}
