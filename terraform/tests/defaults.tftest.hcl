mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

mock_provider "time" {}

variables {
  project    = "shop-prod"
  mesh_id    = "shop"
  source_zip = "tests/source.zip"
}

run "deploys_with_three_variables" {
  command = plan

  assert {
    condition = output.environment == {
      MESHJOIN_MESH_ID      = "shop"
      MESHJOIN_PROJECTS     = "shop-prod"
      MESHJOIN_ROOT_PROJECT = "shop-prod"
    }
    error_message = "The command line needs mesh, projects and the project of the root."
  }
  assert {
    condition     = join(",", keys(output.function_urls)) == "examine-rotator,on-cluster-event,on-rotation-request,sign-intermediate,sync-mesh"
    error_message = "There are five functions."
  }
  assert {
    condition     = join(",", keys(output.topics)) == "cluster-events,dead-letter,rotation"
    error_message = "There are three topics."
  }
  assert {
    condition     = join(",", keys(output.sink_writers)) == "shop-prod"
    error_message = "There is a sink in the one project."
  }
}

run "takes_events_of_an_organization" {
  command = plan

  variables {
    member_projects = ["shop-prod", "pay-prod"]
    event_source    = "organizations/123456789012"
    settings        = { TOKEN_TTL = "3d" }
  }

  assert {
    condition     = join(",", keys(output.sink_writers)) == "organization"
    error_message = "One sink is enough for an organization."
  }
  assert {
    condition     = output.environment["MESHJOIN_PROJECTS"] == "shop-prod,pay-prod" && output.environment["MESHJOIN_TOKEN_TTL"] == "3d"
    error_message = "Projects and settings reach the functions."
  }
}

run "takes_events_of_a_folder" {
  command = plan

  variables {
    event_source = "folders/42"
  }

  assert {
    condition     = join(",", keys(output.sink_writers)) == "folder"
    error_message = "One sink is enough for a folder."
  }
}

run "opens_the_members_network" {
  command = plan

  variables {
    firewall = {
      pod_ranges = ["10.4.0.0/14"]
      networks = {
        prod = { project = "shop-net", network = "prod", control_plane_ranges = ["172.16.0.0/28"] }
        test = { project = "shop-net", network = "test" }
      }
    }
    runbook_url = "https://wiki.example.com/meshjoin/runbook"
    vpc_egress  = { network = "prod", subnetwork = "functions" }
    root_secret = { locations = ["europe-west1", "europe-west4"], first_rotation = "2030-01-01T00:00:00Z" }
  }
}

run "encrypts_the_root_with_a_key_of_ones_own" {
  command = plan

  variables {
    root_secret = { kms_key = "projects/shop-keys/locations/global/keyRings/mesh/cryptoKeys/root" }
  }
}

run "mirrors_docker_hub" {
  command = plan

  variables {
    image_mirror = {
      node_accounts = ["nodes@shop-prod.iam.gserviceaccount.com"]
      credentials   = { username = "shop", password_secret_version = "projects/shop-prod/secrets/docker-hub/versions/1" }
    }
  }

  assert {
    condition     = output.environment["MESHJOIN_ISTIO_HUB"] == "europe-west1-docker.pkg.dev/shop-prod/meshjoin-docker-hub/istio"
    error_message = "The functions and the command line take Istio's images from the mirror."
  }
}

run "takes_images_from_a_hub_of_ones_own" {
  command = plan

  variables {
    istio_hub = "registry.example.com:5000/istio"
  }

  assert {
    condition     = output.environment["MESHJOIN_ISTIO_HUB"] == "registry.example.com:5000/istio"
    error_message = "The functions and the command line take Istio's images from there."
  }
}

run "leaves_a_bucket_of_others_alone" {
  command = plan

  variables {
    source_zip    = null
    source_object = { bucket = "releases-of-others", name = "meshjoin-0.2.0.zip", grant = false }
  }
}
