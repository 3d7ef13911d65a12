/** Remembers the result for each text. For few texts that occur in n² objects. */
export function remembering(compute: (text: string) => string): (text: string) => string {
  const values = new Map<string, string>();
  return (text) => {
    const remembered = values.get(text);
    if (remembered !== undefined) return remembered;
    const value = compute(text);
    values.set(text, value);
    return value;
  };
}
