import type { DescMethod, DescService } from "@bufbuild/protobuf";
import * as protocol from "@petak/protocol";

/** Every RPC of `petak.v1`, as the descriptors have them: what a test tries by this list misses none that is added later. */
export const everyMethod: readonly DescMethod[] = Object.values<unknown>(protocol)
  .filter(isService)
  .flatMap(({ methods }) => methods);

/** What tests call a method, e.g. `ReservationService/Confirm`. */
export function nameOfMethod({ parent, name }: DescMethod): string {
  return `${parent.name}/${name}`;
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
