/** Events that a listener gets although it came after them. */
export interface LateEvents {
  /** The listener of an event was added: it gets the last event of that type that is still true. */
  replay(type: string, listener: EventListenerOrEventListenerObject | null): void;
  /** Dispatches an event, which later listeners get too until it is forgotten. */
  dispatch(type: string, detail: unknown): void;
  forget(type: string): void;
}

/**
 * Frameworks that hydrate a page late add their listeners after a picker has restored its choice; an event of before would be lost to them.
 */
export function createLateEvents(element: EventTarget): LateEvents {
  const last = new Map<string, unknown>();
  const eventOf = (type: string, detail: unknown): Event => new CustomEvent(type, { detail, bubbles: true, composed: true });
  return {
    replay(type, listener) {
      if (listener === null || !last.has(type)) return;
      queueMicrotask(() => {
        if (!last.has(type)) return;
        // It goes to this listener alone: the others had it.
        const target = new EventTarget();
        target.addEventListener(type, (event) =>
          typeof listener === "function" ? listener.call(element as never, event) : listener.handleEvent(event),
        );
        target.dispatchEvent(eventOf(type, last.get(type)));
      });
    },
    dispatch(type, detail) {
      last.set(type, detail);
      element.dispatchEvent(eventOf(type, detail));
    },
    forget: (type) => void last.delete(type),
  };
}
