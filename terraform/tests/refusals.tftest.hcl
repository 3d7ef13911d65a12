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

run "refuses_a_mesh_of_cloud_service_mesh" {
  command = plan
  variables {
    mesh_id = "proj-1234"
  }
  expect_failures = [var.mesh_id]
}

run "refuses_a_mesh_that_yaml_does_not_read_as_a_string" {
  command = plan
  variables {
    mesh_id = "on"
  }
  expect_failures = [var.mesh_id]
}

run "refuses_a_deployment_of_nothing" {
  command = plan
  variables {
    source_zip = null
  }
  expect_failures = [var.source_zip]
}

run "refuses_a_setting_that_there_is_not" {
  command = plan
  variables {
    settings = { TOKEN_TLL = "3d" }
  }
  expect_failures = [var.settings]
}

run "refuses_to_let_everybody_in" {
  command = plan
  variables {
    sync_invokers = ["allUsers"]
  }
  expect_failures = [var.sync_invokers]
}

run "refuses_a_source_of_events_that_is_none" {
  command = plan
  variables {
    event_source = "organisation"
  }
  expect_failures = [var.event_source]
}

run "refuses_to_destroy_a_root_within_a_day" {
  command = plan
  variables {
    root_secret = { destroy_after = "3600s" }
  }
  expect_failures = [var.root_secret]
}

run "refuses_a_key_that_is_not_everywhere" {
  command = plan
  variables {
    root_secret = { kms_key = "projects/shop-keys/locations/europe-west1/keyRings/mesh/cryptoKeys/root" }
  }
  expect_failures = [var.root_secret]
}

run "refuses_a_range_that_is_none" {
  command = plan
  variables {
    firewall = { networks = { this = { project = "p-net", network = "prod" } }, pod_ranges = ["10.4.0.0"] }
  }
  expect_failures = [var.firewall]
}

run "refuses_a_connector_and_names_what_takes_its_place" {
  command = plan
  variables {
    vpc_egress = { connector = "projects/shop-prod/locations/europe-west1/connectors/mesh" }
  }
  expect_failures = [var.vpc_egress]
}

run "refuses_a_link_as_the_subnetwork_of_the_functions" {
  command = plan
  variables {
    vpc_egress = { subnetwork = "https://www.googleapis.com/compute/v1/projects/shop-prod/regions/europe-west1/subnetworks/mesh" }
  }
  expect_failures = [var.vpc_egress]
}

run "refuses_the_one_network_of_0_1_and_names_what_takes_its_place" {
  command = plan
  variables {
    firewall = { project = "p-net", network = "prod", pod_ranges = ["10.4.0.0/14"] }
  }
  expect_failures = [var.firewall]
}

run "refuses_a_mirror_that_nobody_may_pull_from" {
  command = plan
  variables {
    image_mirror = { node_accounts = [] }
  }
  expect_failures = [var.image_mirror]
}

run "refuses_a_hub_beside_a_mirror" {
  command = plan
  variables {
    image_mirror = { node_accounts = ["nodes@shop-prod.iam.gserviceaccount.com"] }
    istio_hub    = "docker.io/istio"
  }
  expect_failures = [var.istio_hub]
}

run "refuses_a_hub_with_a_scheme" {
  command = plan
  variables {
    istio_hub = "https://docker.io/istio"
  }
  expect_failures = [var.istio_hub]
}
