/** The duration of one test file. */
export interface FileTime {
  /** Its path in the repository. */
  path: string;
  /** The project of vitest that ran it: a file may run in several. */
  project: string;
  /** Loading, hooks and tests, in ms. */
  ms: number;
}

/** The durations of a run. */
export interface RunTimes {
  /** The checks, in seconds of wall time. */
  checksS: number;
  /** All tests, in seconds of wall time: files run in parallel. */
  testsS: number;
  files: readonly FileTime[];
}

interface Part {
  name: string;
  budgetS: number;
  /** The pattern of its files' paths in the repository; the first matching part owns a file. */
  files: RegExp;
}

/** The budget of `npm test`, on two idle cores, without downloads. `docs/testing.md` has the same table. */
export const parts: readonly Part[] = [
  { name: "browser", budgetS: 45, files: /(^|\/)browser\/|\.browser\.test\.ts$/ },
  { name: "city", budgetS: 25, files: /^simulator\// },
  { name: "hostile", budgetS: 20, files: /(^|\/)hostile\// },
  { name: "documentation", budgetS: 15, files: /^e2e\/src\/examples\// },
  // The checks belong to this part.
  { name: "everything else", budgetS: 240, files: /^/ },
  { name: "reserve", budgetS: 15, files: /$^/ },
];

/** Limits of whole runs, in seconds. */
export const limitsS = { quick: 90, short: parts.reduce((sum, { budgetS }) => sum + budgetS, 0), ci: 1800 } as const;

const slowestShown = 10;

/** The report of a run: for `npm test` each part's budget and use, and for any run the ten slowest files and the time used of the limit. */
export function describeTimes(times: RunTimes, length: "quick" | "short" | "ci" | "long"): string {
  const { checksS, testsS, files } = times;
  const wholeS = checksS + testsS;
  const lines = files
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, slowestShown)
    .map(({ path, project, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${path}${project.includes(",") ? `  (${project})` : ""}`);
  lines.unshift("The slowest files:");
  if (length === "short") lines.push("", ...describeParts(times));
  const limitS = length === "long" ? undefined : limitsS[length];
  lines.push(
    "",
    `${clock(wholeS)} in all${limitS === undefined ? "" : ` of ${clock(limitS)}`}: checks ${clock(checksS)}, tests ${clock(testsS)}`,
  );
  if (limitS !== undefined && wholeS > limitS) lines.push(`⚠ ${clock(wholeS - limitS)} over the limit of a machine with two quiet cores`);
  return `${lines.join("\n")}\n`;
}

function describeParts(times: RunTimes): string[] {
  const usedS = usedByPart(times);
  const rows = parts.map(({ name, budgetS }) => ({ name, budgetS, used: usedS.get(name) ?? 0 }));
  return [
    `${"part".padEnd(16)} budget   used`,
    ...rows.map(({ name, budgetS, used }) => {
      const mark = used > budgetS ? "  ⚠ over its budget" : "";
      return `${name.padEnd(16)} ${clock(budgetS).padStart(6)} ${clock(used).padStart(6)}${mark}`;
    }),
  ];
}

/**
 * The seconds of the run for each part. Files run in parallel, so a part's share of the time of all tests is its files' share of the time
 * of all files.
 */
export function usedByPart({ checksS, testsS, files }: RunTimes): Map<string, number> {
  const wholeMs = files.reduce((sum, { ms }) => sum + ms, 0);
  const used = new Map(parts.map(({ name }) => [name, 0]));
  const add = (name: string, seconds: number) => used.set(name, (used.get(name) ?? 0) + seconds);
  for (const { path, ms } of files) add(partOf(path), (ms / wholeMs) * testsS);
  add("everything else", checksS);
  return used;
}

/** The part that a test file belongs to. */
export function partOf(path: string): string {
  return parts.find(({ files }) => files.test(path))?.name ?? "everything else";
}

/** Seconds as minutes and seconds: 75 → 1:15. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
