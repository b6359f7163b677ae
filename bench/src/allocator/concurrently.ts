/** Does something for 0 … `count` − 1, with at most `atOnce` concurrent calls. */
export async function concurrently(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/** Repeats something for a number of seconds, with `atOnce` concurrent calls. Returns how often, and the time taken in s. */
export async function repeatedly(seconds: number, atOnce: number, act: () => Promise<void>): Promise<{ done: number; seconds: number }> {
  const beganMs = performance.now();
  const untilMs = beganMs + seconds * 1000;
  let done = 0;
  const worker = async () => {
    while (performance.now() < untilMs) {
      await act();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { done, seconds: (performance.now() - beganMs) / 1000 };
}
