import type { DescMethod, DescService } from "@bufbuild/protobuf";
import * as protocol from "@petak/protocol";

/** Every RPC of `petak.v1`, from the descriptors, so that a test that iterates over this list covers every future RPC. */
export const everyMethod: readonly DescMethod[] = Object.values<unknown>(protocol)
  .filter(isService)
  .flatMap(({ methods }) => methods);

/** The name of a method in tests, e.g. `ReservationService/Confirm`. */
export function nameOfMethod({ parent, name }: DescMethod): string {
  return `${parent.name}/${name}`;
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
