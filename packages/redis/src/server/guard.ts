import { spawn } from "node:child_process";

/**
 * Waits for its standard input to end, which happens when the process that holds the other end ends, however it ends; then tells the server
 * to stop. POSIX shell only: no such thing as Linux's parent-death signal exists elsewhere.
 */
const script = `read -r _; kill -TERM "$1"`;

/**
 * Sets a guard beside a server, so that the server does not outlive this process even if this one is killed outright.
 *
 * @returns takes the guard away, once the server has ended
 */
export function guardServer(serverPid: number): () => void {
  // In a session of its own, like the server: Ctrl-C in a terminal must reach neither.
  const guard = spawn("/bin/sh", ["-c", script, "petak-server-guard", String(serverPid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // A guard that cannot start is a loss of comfort, not of data: the left-over is found by its pid file.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  return () => {
    guard.kill("SIGKILL");
    guard.stdin.destroy();
  };
}
