/** As Terraform names it. A message that Pub/Sub gave up stays in it until a person has looked. */
export const DEAD_LETTER_SUBSCRIPTION = "meshjoin-dead-letter";

export interface GivenUp {
  readonly project: string;
  /** Name of the subscription that the message was never accepted from. */
  readonly subscription: string;
  readonly publishTime: Date;
  /** How often it was delivered. */
  readonly attempts: number;
}

/** What Pub/Sub adds to a message that it forwards; https://cloud.google.com/pubsub/docs/handling-failures */
export function deadLetterAttributes({ project, subscription, publishTime, attempts }: GivenUp) {
  return {
    CloudPubSubDeadLetterSourceDeliveryCount: String(attempts),
    CloudPubSubDeadLetterSourceSubscription: subscription,
    CloudPubSubDeadLetterSourceSubscriptionProject: project,
    CloudPubSubDeadLetterSourceTopicPublishTime: publishTime.toISOString(),
  };
}
