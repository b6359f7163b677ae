import type { DescService } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { type CallTrace, inTrace } from "@petak/redis";
import { formatTraceparent, parseTraceparent, type Tracing } from "../observability/index.ts";
import { type Call, callKey } from "../transport/call/call.ts";

type UnaryMethod = (request: unknown, context: HandlerContext) => unknown;

/**
 * Wraps a service so that the work of a call whose trace is recorded, here or by its caller, knows of it. Streams are left out: they cause no events, and last
 * for hours.
 */
export function traced<Service extends DescService>(
  service: Service,
  implementation: ServiceImpl<Service>,
  tracing: Tracing | undefined,
): ServiceImpl<Service> {
  const methods = implementation as Record<string, UnaryMethod>;
  const wrapped: Record<string, UnaryMethod> = { ...methods };
  for (const { localName, methodKind } of service.methods) {
    const handle = methods[localName];
    if (methodKind !== "unary" || handle === undefined) continue;
    wrapped[localName] = (request, context) => {
      const call = context.values.get(callKey);
      const trace = call && traceOf(call, tracing);
      return trace === undefined ? handle(request, context) : inTrace(trace, () => handle(request, context));
    };
  }
  return wrapped as ServiceImpl<Service>;
}

/** The trace of a call whose work begins. Undefined: nobody records it. */
function traceOf(call: Call, tracing: Tracing | undefined): CallTrace | undefined {
  if (tracing === undefined && call.traceparent === undefined) return undefined;
  const caller = parseTraceparent(call.traceparent);
  if (tracing === undefined) return caller?.isSampled === true ? { traceparent: formatTraceparent(caller) } : undefined;
  const span = tracing.beginCall({ method: call.method, trace: caller });
  call.span = span;
  if (span === null) return undefined;
  return { traceparent: formatTraceparent(span), recordCommand: (command) => tracing.recordCommand(span, command) };
}
