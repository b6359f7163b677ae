/** How far below and above the screen a row counts as in view: what it says is there when it is scrolled to. */
const rootMargin = "200px 0px";

/** Tells which places of the list come into view. */
export class RowsInView {
  readonly #observer: IntersectionObserver;
  #watched = new WeakSet<Element>();

  /** @param see hears the id of each row's site once */
  constructor(see: (siteId: string) => void) {
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const siteId = target.querySelector("input")?.value;
          if (!isIntersecting || siteId === undefined) continue;
          this.#observer.unobserve(target);
          see(siteId);
        }
      },
      { rootMargin },
    );
  }

  /** To be called after each render. */
  update(root: ShadowRoot): void {
    for (const row of root.querySelectorAll(".place")) {
      if (this.#watched.has(row)) continue;
      this.#watched.add(row);
      this.#observer.observe(row);
    }
  }

  close(): void {
    this.#observer.disconnect();
    this.#watched = new WeakSet();
  }
}
