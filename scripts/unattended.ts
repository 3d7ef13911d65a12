/** Whether nothing may stay unproved: where a machine runs the tests, no person reads what they say. */
export function isUnattended(env: NodeJS.ProcessEnv = process.env): boolean {
  return (env["CI"] ?? "") !== "";
}
