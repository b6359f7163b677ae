import { FindNearestRequestSchema } from "@petak/protocol";

/** Leaves every request to the library. */
export const nearestDecoder = { schema: FindNearestRequestSchema, json: () => undefined };
