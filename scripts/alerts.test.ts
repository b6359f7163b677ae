import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryDir } from "./setup/run.mjs";

const read = (path: string) => readFileSync(join(repositoryDir, path), "utf8");
const rules = read("deploy/prometheus/petak.rules.yml");
const alerts = [...rules.matchAll(/^ {6}- alert: (\w+)$/gm)].map(([, name = ""]) => name);

/** The sections of the runbook about alerts, by their headings. */
function sectionsOfRunbook(): Map<string, string> {
  const sections = read("docs/runbook.md").split(/^### /m).slice(1);
  return new Map(sections.map((section) => [section.split("\n", 1)[0] ?? "", section]));
}

test("each alert has its section of the runbook, in the same order, and names it", () => {
  expect(alerts.length).toBeGreaterThan(20);
  expect([...sectionsOfRunbook().keys()]).toEqual(alerts);
  const urls = [...rules.matchAll(/^ {10}runbook_url: (\S+)$/gm)].map(([, url]) => url);
  expect(urls).toEqual(alerts.map((name) => `docs/runbook.md#${name.toLowerCase()}`));
});

test("each section says what is seen, how to check it, and what to run", () => {
  for (const [name, section] of sectionsOfRunbook()) {
    const parts = section.split(/^\*\*(Symptom|Check|Command):\*\*/m);
    expect([name, parts.filter((_, index) => index % 2 === 1)]).toEqual([name, ["Symptom", "Check", "Command"]]);
    for (const part of [parts[4], parts[6]]) expect([name, part]).toEqual([name, expect.stringMatching(/^```sh\n.+\n```$/ms)]);
  }
});

test("each alert wakes somebody up or waits for the day, and is tested", () => {
  expect(rules.match(/severity: (page|ticket), petak: gateway/g)).toHaveLength(alerts.length);
  const tests = read("deploy/prometheus/petak.rules.test.yml");
  for (const name of alerts) expect(tests).toContain(`exp_samples: [{ labels: '{alertname="${name}"}', value: 1 }]`);
});
