/** A page of a list. */
interface Page {
  /** Where the next page begins. Empty: this was the last page. */
  nextCursor: string;
}

/** Reads a list page by page. @param read gets the cursor of a page, "" for the first */
export async function* pagesOf<Read extends Page>(read: (cursor: string) => Promise<Read>): AsyncGenerator<Read, void, undefined> {
  let cursor = "";
  do {
    const page = await read(cursor);
    yield page;
    cursor = page.nextCursor;
  } while (cursor !== "");
}
