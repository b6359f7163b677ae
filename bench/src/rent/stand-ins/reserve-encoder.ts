import { ReserveResponseSchema } from "@petak/protocol";

/** Leaves every answer to the library. */
export const reserveEncoder = { schema: ReserveResponseSchema, json: () => undefined, binary: () => undefined };
