/** Remembers the result for each text. For few texts that are asked for n² times. */
export function remembering<V>(compute: (text: string) => V): (text: string) => V {
  const values = new Map<string, V>();
  return (text) => {
    const remembered = values.get(text);
    if (remembered !== undefined) return remembered;
    const value = compute(text);
    values.set(text, value);
    return value;
  };
}
