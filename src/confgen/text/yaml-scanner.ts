/** The document is not understood; the message is the reason. */
export class Unclear extends Error {}

/** A position in a YAML document. */
export class Scanner {
  at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The current character, or the one at an offset from it; '' at the end. */
  char(offset = 0): string {
    return this.text.charAt(this.at + offset);
  }

  /** The text from a position to the current one. */
  since(start: number): string {
    return this.text.slice(start, this.at);
  }

  /** The rest of the current line. */
  line(): string {
    const end = this.text.indexOf('\n', this.at);
    return this.text.slice(this.at, end === -1 ? this.text.length : end);
  }

  nextLine(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end === -1 ? this.text.length : end + 1;
  }

  /** Goes to the next line; only blanks and a comment may be left on this one. */
  endLine(): void {
    if (!/^[ \t]*$|^[ \t]+#/.test(this.line())) throw new Unclear('text after a value');
    this.nextLine();
  }

  /** Skips and returns a match of a sticky pattern at the current position. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}
