import { AsyncLocalStorage } from "node:async_hooks";

/** Hears of a key before a command about it is sent. May throw, so that the command is not sent. */
export type KeyNote = (key: string) => void;

const scopes = new AsyncLocalStorage<WriteScope>();
const notesBy = new WeakMap<object, KeyNote>();

/** What one piece of work has asked of the servers, as far as it must be safe before the work counts as done. */
export class WriteScope {
  /** Whatever a {@link KeyNote} keeps of this work. */
  readonly noted = new Map<object, unknown>();
  /** False once the work is done: what it has left running is nobody's business any more. */
  isOpen = true;

  /** Runs work, so that what it does and waits for is noted in this scope. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return scopes.run(this, work);
  }
}

/** The scope of the work that runs now, if it has one. */
export function currentScope(): WriteScope | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen === true ? scope : undefined;
}

/** Sets what hears of the keys that are asked for over a connection. */
export function onKeyNoted(connection: object, note: KeyNote): void {
  notesBy.set(connection, note);
}

/** Says that a command about a key is about to be sent for the work that runs now, by something that sends it for several at once. */
export function noteKey(connection: object, key: string): void {
  if (currentScope() !== undefined) notesBy.get(connection)?.(key);
}
