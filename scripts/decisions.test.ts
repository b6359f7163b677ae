import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

const decisionsDir = join(repositoryDir, "docs/decisions");
const notes = readdirSync(decisionsDir)
  .filter((name) => name !== "README.md")
  .sort();

function titleOf(note: string): string {
  const [, title = ""] = /^# (.+)\n/.exec(readFileSync(join(decisionsDir, note), "utf8")) ?? [];
  return title;
}

test("every decision is listed by its title, in the order of the numbers, with a line about it", () => {
  const rows = readFileSync(join(decisionsDir, "README.md"), "utf8").matchAll(/^\| \[(.+)\]\((.+)\) \| \S.*\. \|$/gm);
  const listed = [...rows].map(([, title, note]) => ({ title, note }));
  expect(listed).toEqual(notes.map((note) => ({ title: titleOf(note), note })));
});

test("every decision has its own number, in its file name and in its title", () => {
  for (const note of notes) expect([note, titleOf(note)]).toEqual([note, expect.stringMatching(`^${Number(note.slice(0, 4))}\\. `)]);
  expect(new Set(notes.map((note) => note.slice(0, 4))).size).toBe(notes.length);
});
