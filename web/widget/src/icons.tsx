// Line icons; decorative, the buttons around them have names.
const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  send: "M4 12l16-8-6 17-3-7z",
  clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L15 7",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5s1.2 2 3.5 2 3.5-2 3.5-2M9 9.5h.01M15 9.5h.01",
  save: "M12 4v11m0 0l-4-4m4 4l4-4M5 20h14",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
} as const;

export function Icon({ of, flip }: { of: keyof typeof PATHS; flip?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" class={flip ? "flip" : undefined}>
      <path d={PATHS[of]} />
    </svg>
  );
}
