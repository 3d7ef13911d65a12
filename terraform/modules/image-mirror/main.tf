# Istio publishes its images on Docker Hub, which limits pulls by address. Nodes without a way to the internet
# cannot reach it.
resource "google_artifact_registry_repository" "docker_hub" {
  #checkov:skip=CKV_GCP_84:its content is public; its policy decides who may pull
  project       = var.project
  location      = var.location
  repository_id = "${var.name}-docker-hub"
  description   = "Docker Hub, for the nodes of the mesh's members."
  labels        = var.labels
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"

  remote_repository_config {
    description = "Docker Hub"

    docker_repository {
      public_repository = "DOCKER_HUB"
    }

    dynamic "upstream_credentials" {
      for_each = var.credentials == null ? [] : [var.credentials]
      content {
        username_password_credentials {
          username                = upstream_credentials.value.username
          password_secret_version = upstream_credentials.value.password_secret_version
        }
      }
    }
  }

  depends_on = [time_sleep.password]
}

resource "google_artifact_registry_repository_iam_member" "nodes" {
  for_each = toset(var.node_accounts)

  project    = var.project
  location   = var.location
  repository = google_artifact_registry_repository.docker_hub.name
  role       = "roles/artifactregistry.reader"
  member     = "serviceAccount:${each.key}"
}

# Artifact Registry reads the password itself, as its own agent.
resource "google_secret_manager_secret_iam_member" "password" {
  count = var.credentials == null ? 0 : 1

  project   = split("/", var.credentials.password_secret_version)[1]
  secret_id = split("/", var.credentials.password_secret_version)[3]
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:service-${var.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
}

resource "time_sleep" "password" {
  count = length(google_secret_manager_secret_iam_member.password)

  create_duration = "90s"
  triggers        = { secret = google_secret_manager_secret_iam_member.password[0].secret_id }
}
