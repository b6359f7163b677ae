import { readFileSync } from "node:fs";

/** The rows of the table in docs/guides/sandbox.md: the words of each cell that stand in backticks, by column. */
export function documentedSandbox(): Record<string, string[]>[] {
  const page = readFileSync(new URL("../../../../docs/guides/sandbox.md", import.meta.url), "utf8");
  const [head = [], , ...rows] = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1));
  const names = head.map((cell) => cell.replaceAll("`", "").trim());
  return rows.map((cells) =>
    Object.fromEntries(cells.map((cell, index) => [names[index] ?? "", [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word)])),
  );
}
