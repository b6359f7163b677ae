import { readFile, writeFile } from "node:fs/promises";

/**
 * Puts a text between the two lines of a page that name its command.
 *
 * @throws {Error} if the page does not contain them
 */
export async function replaceSection(path: string, command: string, text: string): Promise<void> {
  const begin = `<!-- begin: ${command} -->`;
  const end = `<!-- end: ${command} -->`;
  const page = await readFile(path, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${path} lacks the lines ${begin} and ${end}`);
  await writeFile(path, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}
