import { IMAGE_HUB_CURE, isImageHub } from "../core/image-hub.ts";
import { isRecord } from "../is-record.ts";

/** `shared/istio/pin.json`: which Istio, and where its images are. */
export interface Pin {
  /** Without a `v`. */
  readonly release: string;
  readonly hub: string;
  readonly tag: string;
  /** The Go module version of the sandbox's istiod and istioctl: Istio tags no release as a Go module. */
  readonly sandboxModule: string;
}

/** Older ones lose endpoints when a remote secret changes (istio/istio#61043, #60612). */
const OLDEST_MINOR = 31;

function requiredText(record: Record<string, unknown>, name: string): string {
  const value = record[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`pin.json has no ${name}: give it as a text`);
}

/** Refuses moving targets, and releases too old for root rotation. */
export function parsePin(json: string): Pin {
  const value: unknown = JSON.parse(json);
  if (!isRecord(value)) throw new Error("pin.json is no object: restore it from the repository");
  const pin = {
    release: requiredText(value, "release"),
    hub: requiredText(value, "hub"),
    tag: requiredText(value, "tag"),
    sandboxModule: requiredText(value, "sandboxModule"),
  };
  if (!isImageHub(pin.hub)) throw new Error(`pin.json has the hub ${pin.hub}: ${IMAGE_HUB_CURE}`);
  if (/(?:^|\/)(?:testing|latest)$/.test(pin.hub) || /^(?:testing|latest)$/.test(pin.tag)) {
    throw new Error(`pin.json names the moving target ${pin.hub}:${pin.tag}: pin a release`);
  }
  const minor = /^1\.(?<minor>\d+)\.\d+$/.exec(pin.release)?.groups?.["minor"];
  if (minor === undefined || Number(minor) < OLDEST_MINOR) {
    throw new Error(`pin.json pins Istio ${pin.release}: use a release of 1.${OLDEST_MINOR} or newer`);
  }
  if (pin.tag !== pin.release && !pin.tag.startsWith(`${pin.release}-`)) {
    throw new Error(`pin.json pins release ${pin.release} but tag ${pin.tag}: make them one version`);
  }
  return pin;
}
