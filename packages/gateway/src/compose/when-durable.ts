import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Acknowledgements } from "@petak/redis";

type UnaryMethod = (request: unknown, context: HandlerContext) => Promise<unknown>;

/**
 * Wraps a service so that its changes respond after replicas have acknowledged them. Duplicates wait too, because the change that they find may not be
 * acknowledged yet. Calls without side effects are not affected.
 */
export function whenDurable<Service extends DescService>(
  service: Service,
  implementation: ServiceImpl<Service>,
  acknowledgements: Acknowledgements | undefined,
): ServiceImpl<Service> {
  if (acknowledgements === undefined) return implementation;
  const methods = implementation as Record<string, UnaryMethod>;
  const waiting: Record<string, UnaryMethod> = { ...methods };
  for (const method of service.methods) {
    const handle = methods[method.localName];
    if (!isChange(method) || handle === undefined) continue;
    waiting[method.localName] = (request, context) => acknowledgements.acknowledge(async () => await handle(request, context));
  }
  return waiting as ServiceImpl<Service>;
}

function isChange({ methodKind, idempotency }: DescMethod): boolean {
  return methodKind === "unary" && idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}
