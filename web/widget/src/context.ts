// What the loader and the panel know of each other.

export interface Context {
  key: string;
  root: ShadowRoot;
  host: HTMLElement;
  launcher: HTMLButtonElement;
  options: { locale?: string; theme?: string; color?: string };
  /** `https://desk.example.com/widget/v1/portal/` */
  api: string;
  /** Where the other files of this version are. */
  files: string;
  emit(event: string, detail: unknown): void;
  unread(count: number): void;
  color(hex: string): void;
  /** Takes the launcher off the page. */
  gone(): void;
}

export interface Panel {
  call(name: string, args: unknown[]): Promise<unknown>;
}
