const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;

/** Interval of progress lines without a terminal, in ms: short enough to show progress, long enough for a log. */
const plainMs = 15_000;

/**
 * Shows the progress of long work: a spinner with the elapsed time on a terminal, plain lines elsewhere. Uses standard error, because
 * standard output belongs to the program that is run.
 *
 * @template T
 * @param {string} title e.g. `Installing dependencies`
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} the result of the work
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
