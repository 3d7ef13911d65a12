import { stripVTControlCharacters } from "node:util";

type Row = readonly string[];

/** Columns as wide as their widest cell, two spaces apart; numbers are flush right. Cells may be coloured. */
export function renderTable(head: Row, rows: readonly Row[]): string {
  const numeric = head.map((_, column) =>
    rows.every((row) => /^[\d,]*(?:\.\d+)?(?: \S+)?$/.test(stripVTControlCharacters(row[column] ?? ""))),
  );
  return align([head, ...rows], (column) => numeric[column] === true);
}

/** Without a head; every column is flush left. */
export function renderRows(rows: readonly Row[]): string {
  return align(rows, () => false);
}

function align(rows: readonly Row[], isRight: (column: number) => boolean): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column]))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const padding = " ".repeat((widths[column] ?? 0) - widthOf(cell));
          return isRight(column) ? padding + cell : cell + padding;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function widthOf(cell = ""): number {
  return stripVTControlCharacters(cell).length;
}
