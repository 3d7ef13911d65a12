output "rotation_topic" {
  description = "Full name of the topic for orders to rotate."
  value       = google_pubsub_topic.this["rotation"].id
}

output "topics" {
  description = "Full names of all topics."
  value       = { for key, topic in google_pubsub_topic.this : key => topic.id }
}

output "subscriptions" {
  description = "Names of the subscriptions: one for each pushed topic, and dead-letter."
  value = merge(
    { for key, subscription in google_pubsub_subscription.push : key => subscription.name },
    { dead-letter = google_pubsub_subscription.dead_letter.name },
  )
}

output "sink_writers" {
  description = "Identities that the sinks write with."
  value       = local.sink_writers
}
