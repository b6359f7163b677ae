import { AsyncLocalStorage } from "node:async_hooks";

/** Called with a key before a command on it is sent. If it throws, the command is not sent. */
export type KeyNote = (key: string) => void;

const scopes = new AsyncLocalStorage<WriteScope>();
const notesBy = new WeakMap<object, KeyNote>();

/** The servers that one piece of work has used, whose writes must be durable before the work succeeds. */
export class WriteScope {
  /** Data that a {@link KeyNote} keeps for this work. */
  readonly noted = new Map<object, unknown>();
  /** False once the work has ended; commands that it left running are no longer recorded. */
  isOpen = true;

  /** Runs work so that its commands, including asynchronous ones, are recorded in this scope. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return scopes.run(this, work);
  }
}

/** The scope of the current asynchronous context; undefined outside of any work. */
export function currentScope(): WriteScope | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen === true ? scope : undefined;
}

/** Sets the function that is called with each key used over a connection. */
export function onKeyNoted(connection: object, note: KeyNote): void {
  notesBy.set(connection, note);
}

/** Records that a command on a key is about to be sent for the current work. Called by code that sends one command for several callers. */
export function noteKey(connection: object, key: string): void {
  if (currentScope() !== undefined) notesBy.get(connection)?.(key);
}
