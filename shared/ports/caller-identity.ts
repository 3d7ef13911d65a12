/** The account that this process runs as. */
export interface CallerIdentity {
  /** The email of the account; undefined if the credentials do not tell it. Fails without credentials. */
  email(): Promise<string | undefined>;
}
