/** What a tablet keeps until its agent has answered, for whoever plays a tablet without a browser. */
export { SignedOutError, UnreachableError } from "../counter/port.ts";
export { createMemory } from "./memory.ts";
export { type OnAnswer, type Outbox, openOutbox } from "./outbox.ts";
