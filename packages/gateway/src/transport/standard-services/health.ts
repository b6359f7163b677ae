import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { errorDomain } from "@petak/protocol";
import { ErrorInfoSchema } from "@petak/protocol/google-rpc";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "@petak/protocol/grpc";
import { untilAborted } from "../call/until-aborted.ts";

/** Whether the gateway serves, as gRPC health checking tells it. */
export interface GatewayHealth {
  /** Says whether a service is served, or the gateway as a whole where none is named. Watchers are told at once. */
  setServing(serving: boolean, service?: string): void;
  /** Whether the gateway as a whole is served. */
  isServing(): boolean;
  /** Adds grpc.health.v1.Health to a router. */
  routes(router: ConnectRouter): void;
}

/**
 * Makes the health of a gateway. Nothing is served at first.
 *
 * @param services Full names of the services whose health can be asked for, e.g. `petak.v1.DirectoryService`. They share the health of the
 * whole until they are given their own.
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
      // Where the gateway stops, NOT_SERVING is the last thing a watcher hears.
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

/** Health checking prescribes NOT_FOUND for a service that is not known, whatever code the reason has elsewhere. */
function unknownService(service: string): ConnectError {
  const value = { reason: "METHOD_NOT_FOUND", domain: errorDomain };
  const name = service.slice(0, 200).toWellFormed();
  return new ConnectError(`${name}: no such service here. Server reflection lists them.`, Code.NotFound, undefined, [
    { desc: ErrorInfoSchema, value },
  ]);
}
