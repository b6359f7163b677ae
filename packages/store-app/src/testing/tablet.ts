/** A tablet of a store, without a browser: for tests of its agent. */
export { App } from "../app/app.ts";
export { newHandOver } from "../app/draft.ts";
export { endHandOver, scanForHandOver } from "../app/hand-over.ts";
export type { CounterPort } from "../counter/port.ts";
export { createMemory } from "../outbox/memory.ts";
export { type CutLine, cutLine } from "./cut-line.ts";
