import { AsyncLocalStorage } from "node:async_hooks";

/** A command that was sent to Redis for a call, and has just ended. It says nothing of keys and values. */
export interface EndedCommand {
  /** The name that Redis has for it, e.g. `MGET`. */
  readonly operation: string;
  /** The script that it runs. "": none. */
  readonly script: string;
  /** How many calls share it. */
  readonly batchSize: number;
  readonly durationMs: number;
  /** Undefined: it has not failed. */
  readonly error: unknown;
}

/** The recorded trace of a call. */
export interface CallTrace {
  /** What the events that the call causes keep of it, as a `traceparent` of 55 characters. */
  readonly traceparent: string;
  /** Records a command. Undefined: only the caller records the trace. */
  readonly recordCommand?: ((command: EndedCommand) => void) | undefined;
}

interface Scope {
  readonly trace: CallTrace | undefined;
  isOpen: boolean;
}

const scopes = new AsyncLocalStorage<Scope>();
const noTrace: Scope = { trace: undefined, isOpen: false };

/**
 * Runs the work of a call whose trace is recorded. Whatever it does until its end, also asynchronously, belongs to the trace; what it leaves running after
 * that, e.g. a loop that others have begun to share, does not.
 */
export function inTrace<Result>(trace: CallTrace, work: () => Result): Result {
  const scope: Scope = { trace, isOpen: true };
  const close = () => {
    scope.isOpen = false;
  };
  let result: Result;
  try {
    result = scopes.run(scope, work);
  } catch (error) {
    close();
    throw error;
  }
  if (result instanceof Promise) result.then(close, close);
  else close();
  return result;
}

/** Runs work that is done for several calls, and belongs to the trace of none. */
export function outsideTraces<Result>(work: () => Result): Result {
  return currentTrace() === undefined ? work() : scopes.run(noTrace, work);
}

/** The trace to which the current work belongs. Undefined: none that is recorded. */
export function currentTrace(): CallTrace | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen === true ? scope.trace : undefined;
}
