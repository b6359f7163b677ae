/** The protocol described for others: JSON schemas of its messages, and OpenAPI. */
export { schemasOf } from "./message-schema.ts";
export { openApiOf } from "./open-api.ts";
export type { JsonSchema } from "./value-schema.ts";
