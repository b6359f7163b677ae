/** The largest photo that a store keeps, in bytes. */
const photoMaxBytes = 400_000;

/** The longer side of a photo, in px, from the best down to what always fits. */
const sidesPx = [1280, 960, 640, 480];

/** Makes a picture of a camera or a file small enough for the store, and removes what the camera wrote into it, such as where it was taken. */
export async function shrinkPhoto(file: Blob): Promise<Uint8Array | undefined> {
  const picture = await createImageBitmap(file);
  for (const side of sidesPx) {
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.75 });
    if (jpeg.size <= photoMaxBytes) return new Uint8Array(await jpeg.arrayBuffer());
  }
  return undefined;
}
