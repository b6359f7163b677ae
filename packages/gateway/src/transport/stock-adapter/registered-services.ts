import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, MethodImpl } from "@connectrpc/connect";
import { readMaxBytesOf } from "../limits/admission.ts";
import type { CallLimits } from "../limits/call-limits.ts";

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
 * Registers services at a router such that their streams compress only large messages, and messages of strangers are short. Unary
 * responses keep the router's own limit of compression.
 *
 * @returns the services that were registered without options of their own
 */
export function registerServices(
  router: ConnectRouter,
  routes: (router: ConnectRouter) => void,
  limits: Pick<CallLimits, "readMaxBytes">,
): readonly RegisteredService[] {
  const registered: RegisteredService[] = [];
  const wrapped: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, { readMaxBytes: limits.readMaxBytes, ...options });
      if (options === undefined) registered.push({ service, implementation });
      for (const method of service.methods) {
        const implement: unknown = Reflect.get(implementation, method.localName);
        const isStream = method.methodKind === "server_streaming";
        const readMaxBytes = readMaxBytesOf(service, `${service.typeName}/${method.name}`, limits);
        if (typeof implement !== "function" || !(isStream || readMaxBytes < limits.readMaxBytes)) continue;
        // Registered twice: the later registration of a method replaces the earlier one.
        const own = { readMaxBytes, ...options, ...(isStream && { compressMinBytes }) };
        router.rpc(method, implement.bind(implementation) as MethodImpl<typeof method>, own);
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
