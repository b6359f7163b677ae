import { ReserveRequestSchema } from "@petak/protocol";

/** Leaves every request to the library. */
export const reserveDecoder = { schema: ReserveRequestSchema, json: () => undefined };
