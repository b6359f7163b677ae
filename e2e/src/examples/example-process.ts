import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { processEnv } from "@petak/testkit";
import { onTestFinished } from "vitest";
import { type CourierExample, repositoryDir } from "./courier-examples.ts";

/** A line printed by a courier's example. */
export interface ExampleStep {
  step: string;
  [fact: string]: unknown;
}

/** An example's exit code and output. */
export interface ExampleResult {
  exitCode: number | null;
  steps: ExampleStep[];
  stderr: string;
}

/** The environment of the examples: a gateway, a courier's key, and the folder with the operators' keys. */
export interface ExampleSurroundings {
  gateway: string;
  courierKey: string;
  operatorKeys: string;
}

/**
 * Runs a courier's example until it exits.
 *
 * @param until kills the example early, after the step for which this returns true
 * @param timeoutMs kills it after this time, so that a test can say how far it came
 */
export async function runCourier(
  { command: [program, ...first] }: CourierExample,
  { gateway, courierKey }: ExampleSurroundings,
  { args = [], until, timeoutMs }: { args?: readonly string[]; until?: (step: ExampleStep) => boolean; timeoutMs?: number } = {},
): Promise<ExampleResult> {
  const child = start([program, ...first, "--gateway", gateway, "--key", courierKey, ...args], timeoutMs);
  const stderr = collect(child.stderr);
  const steps: ExampleStep[] = [];
  const exited = once(child, "close") as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    const step = JSON.parse(line) as ExampleStep;
    steps.push(step);
    if (until?.(step) === true) child.kill();
  }
  return { exitCode: (await exited)[0], steps, stderr: stderr() };
}

/** Runs a courier's example piped into a terminal, as the guide shows it. */
export async function runCourierAndTerminal(
  { command: [program, ...first] }: CourierExample,
  { gateway, courierKey, operatorKeys }: ExampleSurroundings,
): Promise<{ courierExitCode: number | null; terminal: ExampleResult }> {
  const courier = start([program, ...first, "--gateway", gateway, "--key", courierKey]);
  const terminal = startTerminal({ gateway, operatorKeys });
  courier.stdout.pipe(terminal.stdin);
  // Without a terminal the courier would wait for an event that never arrives.
  terminal.on("close", () => courier.kill());
  terminal.stdin.on("error", () => courier.kill());
  const [courierSaid, terminalSaid, stdout] = [collect(courier.stderr), collect(terminal.stderr), collect(terminal.stdout)];
  const ends = [once(courier, "close"), once(terminal, "close")] as Promise<[number | null]>[];
  const [courierExitCode = null, exitCode = null] = (await Promise.all(ends)).map(([code]) => code);
  return { courierExitCode, terminal: { exitCode, steps: stepsOf(stdout()), stderr: courierSaid() + terminalSaid() } };
}

/** Runs a terminal with a courier's steps, until it exits by itself: its input stays open. */
export async function runTerminal(
  surroundings: Omit<ExampleSurroundings, "courierKey">,
  steps: readonly ExampleStep[],
): Promise<ExampleResult> {
  const terminal = startTerminal(surroundings);
  const [stderr, stdout] = [collect(terminal.stderr), collect(terminal.stdout)];
  for (const step of steps) terminal.stdin.write(`${JSON.stringify(step)}\n`);
  const [exitCode] = (await once(terminal, "close")) as [number | null];
  return { exitCode, steps: stepsOf(stdout()), stderr: stderr() };
}

function startTerminal({ gateway, operatorKeys }: Omit<ExampleSurroundings, "courierKey">): ChildProcessWithoutNullStreams {
  const script = join(repositoryDir, "examples/terminal-typescript/terminal.ts");
  return start([process.execPath, script, "--gateway", gateway, "--keys", operatorKeys]);
}

function stepsOf(printed: string): ExampleStep[] {
  return printed
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ExampleStep);
}

/**
 * Starts a program that ends with its test, without the environment variables of the test run, and without writing files beside the
 * sources.
 */
function start([program, ...args]: readonly [string, ...string[]], timeoutMs = 0): ChildProcessWithoutNullStreams {
  const env = processEnv({ HOME: process.env.HOME ?? "", PYTHONDONTWRITEBYTECODE: "1" });
  const child = spawn(program, args, { env, timeout: timeoutMs, killSignal: "SIGKILL" });
  onTestFinished(() => void child.kill());
  return child;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
