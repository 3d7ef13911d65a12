mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

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
    condition     = join(",", keys(output.function_urls)) == "on-cluster-event,on-rotation-request,sign-intermediate,sync-mesh"
    error_message = "There are four functions."
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
      project              = "shop-net"
      network              = "prod"
      pod_ranges           = ["10.4.0.0/14"]
      control_plane_ranges = ["172.16.0.0/28"]
    }
    runbook_url = "https://wiki.example.com/meshjoin/runbook"
    vpc_egress  = { connector = "projects/shop-prod/locations/europe-west1/connectors/mesh" }
    root_secret = { locations = ["europe-west1", "europe-west4"], first_rotation = "2030-01-01T00:00:00Z" }
  }
}

run "encrypts_the_root_with_a_key_of_ones_own" {
  command = plan

  variables {
    root_secret = { kms_key = "projects/shop-keys/locations/global/keyRings/mesh/cryptoKeys/root" }
  }
}
