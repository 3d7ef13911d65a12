/** What nodes get images from. */
export interface ImageRegistry {
  /** Why the image cannot be had, in the words of a container runtime; undefined where it can. */
  refusal(image: string): string | undefined;
}

export interface HeldImages {
  /** Registry and path of each place that holds Istio's images. */
  readonly hubs: readonly string[];
  /** The only one of Istio's that they hold. */
  readonly tag: string;
  /** Whether a fault keeps this image back. */
  readonly isKeptBack: (image: string) => boolean;
}

/** Of what Istio's manifest and its injected pods run. */
const ISTIO_IMAGES = ["pilot", "proxyv2"];

/**
 * Holds Istio's images of one tag in some hubs, and no other of theirs. It refuses a hub with a misprint, or
 * a tag that was never published, as Google Cloud does. It holds all images of applications, because nothing
 * runs from them here.
 */
export function createImageRegistry({ hubs, tag, isKeptBack }: HeldImages): ImageRegistry {
  const held = new Set(hubs.flatMap((hub) => ISTIO_IMAGES.map((name) => `${hub}/${name}:${tag}`)));
  const isHeld = (image: string): boolean => held.has(image) || !isIstios(image);
  return {
    refusal: (image) =>
      isHeld(image) && !isKeptBack(image)
        ? undefined
        : `failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
  };
}

function isIstios(image: string): boolean {
  const name = image.split("/").at(-1)?.split(/[:@]/)[0] ?? "";
  return ISTIO_IMAGES.includes(name);
}
