/** Whose credentials these are. */
export interface CallerIdentity {
  /** The email of the account; undefined if the credentials do not tell. Fails where there are none. */
  email(): Promise<string | undefined>;
}
