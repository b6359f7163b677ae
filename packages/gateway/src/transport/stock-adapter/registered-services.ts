import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImpl } from "@connectrpc/connect";

/**
 * The shortest message of a stream that is compressed, in bytes: a page of old events, but not the few events that have just happened, which
 * would wait for a compression thread only to save a packet or two.
 */
const compressMinBytes = 8192;

/** A service and its implementation. */
export interface RegisteredService {
  readonly service: DescService;
  readonly implementation: object;
}

/**
 * Registers services at a router such that their streams compress only large messages. Unary responses keep the router's own limit.
 *
 * @returns the services that were registered without options of their own
 */
export function registerServices(router: ConnectRouter, routes: (router: ConnectRouter) => void): readonly RegisteredService[] {
  const registered: RegisteredService[] = [];
  const wrapped: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      if (options === undefined) registered.push({ service, implementation });
      for (const method of service.methods) {
        const implement: unknown = Reflect.get(implementation, method.localName);
        if (method.methodKind !== "server_streaming" || typeof implement !== "function") continue;
        // Registered twice: the later registration of a method replaces the earlier one.
        router.rpc(method, implement.bind(implementation) as MethodImpl<typeof method>, { ...options, compressMinBytes });
      }
      return wrapped;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      return wrapped;
    },
  };
  routes(wrapped);
  return registered;
}
