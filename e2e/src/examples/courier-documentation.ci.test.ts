import { join } from "node:path";
import { expect, it } from "vitest";
import { readCodeBlocks } from "./code-blocks.ts";
import { repositoryDir } from "./courier-examples.ts";
import { useReaderOfStart } from "./reader-of-start.ts";

const guidePath = join(repositoryDir, "docs/guides/courier.md");
const start = useReaderOfStart();

it("the courier's guide shows commands that do what it says, in order", { timeout: 300_000 }, async ({ annotate }) => {
  const { reader } = start;
  const said: string[] = [];
  for (const { code, line } of (await readCodeBlocks(guidePath)).filter(({ language }) => language === "sh")) {
    if (code.startsWith("python3") && !reader.hasPython) {
      await annotate(`line ${line} was skipped: no Python here has the modules of the example`);
      continue;
    }
    const { exitCode, stdout, stderr } = await reader.run(code);
    expect(exitCode, `line ${line} said: ${stderr}`).toBe(0);
    if (!code.startsWith("curl")) expect(stderr, `line ${line}`).toBe("");
    // "Send it again: the answer is the same."
    if (code.includes("requestId")) expect((await reader.run(code)).stdout).toBe(stdout);
    said.push(stdout);
  }
  const ended = said.filter((text) => text.trimEnd().split("\n").at(-1)?.includes('"collected"'));
  expect(ended.length).toBe(reader.hasPython ? 2 : 1);
  const answers = said.filter((text) => text.startsWith("{") && !text.includes("\n")).map((text) => JSON.parse(text) as object);
  expect(answers.map((answer) => Object.keys(answer))).toEqual([
    ["endpoint"],
    ["options"],
    ["reservation", "site", "distanceM"],
    ["reservation"],
    ["code", "message", "details"],
  ]);
  expect(answers[2]).toMatchObject({ reservation: { state: "RESERVATION_STATE_HELD", partnerReference: "parcel-4711" } });
  expect(String((answers[2] as { distanceM?: number }).distanceM)).toMatch(/^\d+(\.\d\d?)?$/);
  expect(answers[3]).toMatchObject({ reservation: { state: "RESERVATION_STATE_CONFIRMED" } });
  expect(answers[4]).toMatchObject({ details: [{ reason: "INVALID_FIELD", field: "origin.latitude" }, {}] });
});
