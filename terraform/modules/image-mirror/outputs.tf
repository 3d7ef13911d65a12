output "istio_hub" {
  description = "Registry and path of Istio's images, for MESHJOIN_ISTIO_HUB."
  value       = "${var.location}-docker.pkg.dev/${replace(var.project, ":", "/")}/${google_artifact_registry_repository.docker_hub.repository_id}/istio"
}
