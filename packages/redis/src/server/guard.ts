import { spawn } from "node:child_process";

/**
 * Waits for the end of standard input, which comes when the parent process ends in any way, then sends SIGTERM to the server. Uses a POSIX
 * shell because only Linux has a parent-death signal.
 */
const script = `read -r _; kill -TERM "$1"`;

/**
 * Starts a guard process, so that the server does not outlive this process even if this one is killed with SIGKILL.
 *
 * @returns Ends the guard; call it once the server has ended.
 */
export function guardServer(serverPid: number): () => void {
  // In a session of its own, like the server, so that Ctrl-C in a terminal reaches neither.
  const guard = spawn("/bin/sh", ["-c", script, "petak-server-guard", String(serverPid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without a guard no data is lost: an orphaned server is found by its pid file at the next start.
  guard.on("error", () => {});
  guard.stdin.on("error", () => {});
  return () => {
    guard.kill("SIGKILL");
    guard.stdin.destroy();
  };
}
