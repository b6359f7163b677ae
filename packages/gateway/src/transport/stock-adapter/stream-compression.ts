import type { ConnectRouter, MethodImpl } from "@connectrpc/connect";

/**
 * A stream's message is compressed from here on, in bytes: a page of events that somebody reads up on, and not the few that have just happened together.
 * Those would wait for a thread that compresses, to save a packet or two.
 */
const compressMinBytes = 8192;

/** A router that gives everything to another one, whose streams compress only what is large. Unary answers are left as they are. */
export function compressLargeInStreams(router: ConnectRouter): ConnectRouter {
  const compressing: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      for (const method of service.methods) {
        const implement: unknown = Reflect.get(implementation, method.localName);
        if (method.methodKind !== "server_streaming" || typeof implement !== "function") continue;
        // In place of the same method as the service has it: of two, the last is called.
        router.rpc(method, implement.bind(implementation) as MethodImpl<typeof method>, { ...options, compressMinBytes });
      }
      return compressing;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      return compressing;
    },
  };
  return compressing;
}
