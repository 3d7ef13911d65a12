/** Host with a dot or a port, so that no container runtime takes it for a path on Docker Hub. */
const HOST = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*(?::([1-9]\d{0,4}))?$/;
const PORT_MAX = 65_535;
/** https://github.com/distribution/reference/blob/main/reference.go, `path-component` */
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** A reference has 255 characters at most; `/proxyv2:` and a tag follow. */
const LENGTH_MAX = 200;

/**
 * Whether the text may stand before `/pilot:TAG` in the name of an image: a registry's host, its port if it
 * has one, and a path, by the reference grammar of container images, in lower case. `istio_hub` in
 * terraform/variables.tf refuses the same texts; a test compares the two.
 */
export function isImageHub(text: string): boolean {
  const [host = "", ...path] = text.split("/");
  const named = host.includes(".") || host.includes(":") || host === "localhost";
  const [isHost, port = "1"] = HOST.exec(host) ?? [];
  const whole =
    named &&
    isHost !== undefined &&
    Number(port) <= PORT_MAX &&
    path.length > 0 &&
    path.every((each) => PATH_COMPONENT.test(each));
  return whole && text.length <= LENGTH_MAX;
}

export const IMAGE_HUB_CURE =
  "use a registry's host, its port if it has one, and a path, all in lower case, like docker.io/istio; " +
  "no scheme, tag, digest or slash at the end";
