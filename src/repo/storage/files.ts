/** A file of the repository that is to be published. */
export interface SourceFile {
  readonly path: string;
  /** Bytes; of a link those of what it says. */
  readonly size: number;
  /** The same for all names of one file; undefined for a file of one name. */
  readonly id: string | undefined;
  /** What a symbolic link says; undefined for a file. */
  readonly link: string | undefined;
}

/** A file here or there. `digest`: of its content, in whatever form the target compares; undefined when not known. */
export interface ListedFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: string | undefined;
  /** The same for all names of one file. */
  readonly id?: string | undefined;
  /** What a symbolic link says. */
  readonly link?: string | undefined;
}
