/**
 * The environment of a process that a test starts: none of the settings of whoever runs the tests, but the path, and where Node keeps what it has compiled,
 * which halves the time that a process takes to start.
 */
export function processEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = "", NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...more };
}
