import { AsyncLocalStorage } from "node:async_hooks";

/** The recorded trace of a call. */
export interface CallTrace {
  /** What the events that the call causes keep of it, as a `traceparent` of 55 characters. */
  readonly traceparent: string;
}

interface Scope {
  readonly trace: CallTrace;
  isOpen: boolean;
}

const scopes = new AsyncLocalStorage<Scope>();

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

/** The trace to which the current work belongs. Undefined: none that is recorded. */
export function currentTrace(): CallTrace | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen === true ? scope.trace : undefined;
}
