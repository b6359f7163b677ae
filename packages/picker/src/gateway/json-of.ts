import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/**
 * A message as JSON has it. Fields with their default value are absent, enums are names, 64-bit integers are digits, and so are times (RFC 3339) and durations
 * (`300s`).
 */
export type JsonOf<M> = { readonly [K in Exclude<keyof M, "$typeName" | "$unknown">]?: ValueOf<M[K]> };

type ValueOf<V> = V extends undefined
  ? undefined
  : V extends Timestamp | Duration | bigint
    ? string
    : V extends readonly (infer E)[]
      ? readonly ValueOf<E>[]
      : V extends number
        ? number extends V
          ? number
          : string
        : V extends object
          ? JsonOf<V>
          : V;
