import { FindNearestResponseSchema } from "@petak/protocol";

/** Leaves every answer to the library. */
export const optionsEncoder = { schema: FindNearestResponseSchema, json: () => undefined, binary: () => undefined };
