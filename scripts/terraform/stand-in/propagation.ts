import { isValue, text, type Value } from "./values.ts";

/**
 * Seconds until Google Cloud acts on what it was told. Its documents give no bound, and ask for "a few
 * minutes": these are what must be waited for at least.
 */
const SERVICE_AWAKE = 30;
/**
 * https://cloud.google.com/iam/docs/access-change-propagation: "typically 2 minutes"; the provider's
 * example for a build account waits 60 s.
 */
const GRANT_EFFECTIVE = 60;
/** https://cloud.google.com/eventarc/docs/troubleshooting: an agent that is new takes some minutes. */
const EVENTARC_AGENT = 120;

/** By the beginning of a type: the API that it is made with. */
const SERVICES: Readonly<Record<string, string>> = {
  google_artifact_registry_: "artifactregistry.googleapis.com",
  google_cloud_scheduler_: "cloudscheduler.googleapis.com",
  google_cloudfunctions2_: "cloudfunctions.googleapis.com",
  google_compute_: "compute.googleapis.com",
  google_eventarc_: "eventarc.googleapis.com",
  google_logging_: "logging.googleapis.com",
  google_monitoring_: "monitoring.googleapis.com",
  google_project_iam_custom_role: "iam.googleapis.com",
  google_pubsub_: "pubsub.googleapis.com",
  google_secret_manager_: "secretmanager.googleapis.com",
  google_service_account: "iam.googleapis.com",
  google_storage_: "storage.googleapis.com",
};

/**
 * What of Google Cloud takes its time, on a clock that only a `time_sleep` moves: an API that was just
 * enabled, and an account that was just granted a role. What was made before this stand-in ran has long
 * arrived.
 */
export function createPropagation(arrivesAtOnce = false) {
  let now = 0;
  const enabled = new Map<string, number>();
  const granted = new Map<string, number>();
  /** By `project/service`: a type that was made with an API which this apply had not enabled yet. */
  const early = new Map<string, string>();
  const ageOf = (since: ReadonlyMap<string, number>, key: string) =>
    now - (since.get(key) ?? Number.NEGATIVE_INFINITY);

  return {
    /** Why Google would not make this yet, in its words; undefined where it would. */
    refusal(type: string, resource: Value): string | undefined {
      const project = text(resource["project"]);
      if (
        type === "google_eventarc_trigger" &&
        ageOf(enabled, `${project}/eventarc.googleapis.com`) < EVENTARC_AGENT
      )
        return "Permission denied while using the Eventarc Service Agent";
      if (type === "google_project_service") {
        const caller = early.get(`${project}/${text(resource["service"])}`);
        if (caller !== undefined) return `${caller}: ${disabled(text(resource["service"]), project)}`;
      }
      const service = serviceOf(type);
      if (service !== undefined && ageOf(enabled, `${project}/${service}`) < SERVICE_AWAKE)
        return disabled(service, project);
      const fresh = [...granted.keys()]
        .filter(isUsedBy(type, resource))
        .find((member) => ageOf(granted, member) < GRANT_EFFECTIVE);
      if (fresh !== undefined) return `${fresh} does not have the permission`;
      return undefined;
    },

    /**
     * What does not wait for its API comes before or after it by chance; what came before is told when the
     * API is enabled.
     */
    made(type: string, resource: Value): void {
      if (arrivesAtOnce) return;
      const project = text(resource["project"]);
      const service = serviceOf(type);
      if (service !== undefined && !enabled.has(`${project}/${service}`))
        early.set(`${project}/${service}`, type);
      if (type === "time_sleep") now += seconds(text(resource["create_duration"]));
      if (type === "google_project_service") enabled.set(`${project}/${text(resource["service"])}`, now);
      if (type.endsWith("_iam_member")) granted.set(text(resource["member"]), now);
    },
  };
}

function serviceOf(type: string): string | undefined {
  return Object.entries(SERVICES).find(([prefix]) => type.startsWith(prefix))?.[1];
}

function disabled(service: string, project: string): string {
  return `${service} has not been used in project ${project} before or it is disabled`;
}

/** Whose roles Google uses at once when it makes this: without them it is not made. */
function isUsedBy(type: string, resource: Value): (member: string) => boolean {
  if (type === "google_cloudfunctions2_function") {
    const builder = text(blockIn(resource, "build_config")["service_account"]).split("/").at(-1);
    return (member) => member === `serviceAccount:${builder}`;
  }
  if (type === "google_secret_manager_secret" && "name" in blockIn(resource, "topics"))
    return (member) => member.endsWith("@gcp-sa-secretmanager.iam.gserviceaccount.com");
  return () => false;
}

function blockIn(resource: Value, name: string): Value {
  const [block]: unknown[] = Array.isArray(resource[name]) ? resource[name] : [];
  return isValue(block) ? block : {};
}

/** Of what the modules write: `90s`. */
function seconds(duration: string): number {
  const [, amount] = /^(\d+)s$/.exec(duration) ?? [];
  if (amount === undefined) throw new Error(`the stand-in waits for seconds only, not for ${duration}`);
  return Number(amount);
}
