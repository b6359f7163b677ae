/** A random UUID of version 4, for `request_id`. k6 1.6 and 2.x both have `Math.random`, but not `crypto.randomUUID` alike. */
export function randomUuid(random: () => number = Math.random): string {
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === "x" ? digit : (digit & 3) | 8).toString(16);
  });
}
