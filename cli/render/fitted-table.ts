import { stripVTControlCharacters } from "node:util";
import { renderRows, renderTable } from "../../shared/table.ts";

type Row = readonly string[];

const GAP = 2;
const COMMA = ", ";

export interface Room {
  readonly width: number;
  /** The first columns that stay, however narrow the terminal is. */
  readonly keep?: number;
}

/**
 * A table of at most `width` characters, where that is possible: lists are folded at their commas, then
 * columns are left out, the last one first.
 */
export function renderFittedTable(
  head: Row,
  rows: readonly Row[],
  { width, keep = head.length }: Room,
): string {
  for (let columns = head.length; ; columns -= 1) {
    const titles = head.slice(0, columns);
    const [, ...folded] = fold([titles, ...rows.map((row) => row.slice(0, columns))], width);
    const table = renderTable(titles, folded);
    if (columns <= keep || widestLine(table) <= width) return table;
  }
}

function widestLine(text: string): number {
  return Math.max(...text.split("\n").map(lengthOf));
}

/** The same without a head, and without leaving anything out. */
export function renderFittedRows(rows: readonly Row[], width: number): string {
  return renderRows(fold(rows, width));
}

/** The room of columns without a list is fixed; those with one share the rest. */
function fold(rows: readonly Row[], width: number): readonly Row[] {
  const columns = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, column) => ({
    hasList: rows.some((row) => (row[column] ?? "").includes(COMMA)),
    width: Math.max(...rows.map((row) => lengthOf(row[column]))),
  }));
  const lists = columns.filter(({ hasList }) => hasList).length;
  if (lists === 0 || width === Number.POSITIVE_INFINITY) return rows;
  const fixed = columns.reduce((sum, { hasList, width: own }) => sum + (hasList ? 0 : own), 0);
  const room = Math.floor((width - fixed - GAP * (columns.length - 1)) / lists);
  return rows.flatMap((row) => {
    const cells = row.map((cell, column) =>
      columns[column]?.hasList === true ? foldList(cell, room) : [cell],
    );
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) => cells.map((lines) => lines[line] ?? ""));
  });
}

function foldList(cell: string, room: number): string[] {
  const lines: string[] = [];
  for (const [index, item] of cell.split(COMMA).entries()) {
    const last = lines.at(-1);
    if (index > 0 && last !== undefined && lengthOf(last) + COMMA.length + lengthOf(item) <= room) {
      lines[lines.length - 1] = `${last}${COMMA}${item}`;
    } else {
      if (last !== undefined) lines[lines.length - 1] = `${last},`;
      lines.push(item);
    }
  }
  return lines;
}

function lengthOf(text = ""): number {
  return stripVTControlCharacters(text).length;
}
