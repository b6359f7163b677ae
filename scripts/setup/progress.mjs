const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;

/** Where nobody watches a spinner: often enough to see that it lives, seldom enough for a log. */
const plainMs = 15_000;

/**
 * Shows that something long is going on: a spinner with the time it has taken on a terminal, plain lines elsewhere. On standard error,
 * for standard output belongs to what is run.
 *
 * @template T
 * @param {string} title e.g. `Installing dependencies`
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} what the work gives
 */
export async function withProgress(title, work) {
  const startMs = performance.now();
  const elapsed = () => `${Math.round((performance.now() - startMs) / 1_000)} s`;
  const out = process.stderr;
  let frame = 0;
  if (!out.isTTY) out.write(`${title} …\n`);
  const timer = setInterval(
    () => {
      if (out.isTTY) out.write(`\r${frames[frame++ % frames.length]} ${title} (${elapsed()})\u001b[K`);
      else out.write(`${title} … ${elapsed()}\n`);
    },
    out.isTTY ? frameMs : plainMs,
  );
  const end = (/** @type {string} */ mark, /** @type {string} */ word) => {
    clearInterval(timer);
    out.write(out.isTTY ? `\r${mark} ${title} (${elapsed()})\u001b[K\n` : `${title}: ${word} (${elapsed()})\n`);
  };
  try {
    const result = await work();
    end("✔", "done");
    return result;
  } catch (error) {
    end("✘", "failed");
    throw error;
  }
}
