/** Does something for 0 … `count` − 1, as many at once as said, each as soon as one before it is done. */
export async function concurrently(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/** Does something over and over for so many seconds, as many at once as said. Gives how often, and how long it took, in s. */
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
