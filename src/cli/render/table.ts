/**
 * A plain text table. Columns are as wide as their widest cell and separated by two spaces.
 *
 * @param header column names; `>` at the start aligns the column to the right and is not shown
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const alignedRight = header.map((name) => name.startsWith('>'));
  const lines = [header.map((name) => name.replace(/^>/, '')), ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          alignedRight[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** 512 B, 3.4 kB, 105 MB: decimal units, at most three digits before the decimal point. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 0.4 s, 12 s, 3 min 05 s */
export function humanTime(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}
